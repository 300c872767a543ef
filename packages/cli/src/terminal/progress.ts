/** Shows the progress of an import: a bar on a terminal, a line every few seconds elsewhere. */
import { SingleBar } from 'cli-progress';
import { count, countRows } from './words.ts';

/** Between two lines without a terminal, so as not to flood a log. */
const LINE_INTERVAL_MS = 5_000;

export interface ProgressState {
  /** Rows that have become customers or failures. */
  done: number;
  failed: number;
  /** Their share of the input, 0 to 1; undefined if its size is not known. */
  share: number | undefined;
}

function remaining(seconds: number): string {
  if (!Number.isFinite(seconds)) return '';
  const whole = Math.ceil(seconds);
  return whole < 90 ? `${whole} s left` : `${Math.ceil(whole / 60)} min left`;
}

export class Progress {
  readonly #stream: NodeJS.WriteStream;
  readonly #startedAt = performance.now();
  readonly #bar: SingleBar | undefined;
  /** Rows that an earlier run finished, which do not count for this run's rate. */
  readonly #before: number;
  #lineAt = performance.now();

  constructor(stream: NodeJS.WriteStream, before: number) {
    this.#stream = stream;
    this.#before = before;
    if (!stream.isTTY) return;
    this.#bar = new SingleBar({
      stream,
      format: '{bar} {percent} {rows}{failures}  {rate}/s  {left}',
      barsize: 24,
      hideCursor: true,
    });
    this.#bar.start(1, 0, { percent: '', rows: countRows(before), failures: '', rate: '… rows', left: '' });
  }

  show({ done, failed, share }: ProgressState): void {
    const rate = this.rate(done);
    const left = share === undefined || share === 0 ? '' : remaining((done / share - done) / rate);
    const failures = failed === 0 ? '' : `, ${count(failed)} failed`;
    if (this.#bar !== undefined) {
      const percent = share === undefined ? '' : `${Math.floor(share * 100)} %`;
      this.#bar.update(share ?? 0, { percent, rows: countRows(done), failures, rate: countRows(rate), left });
      return;
    }
    if (performance.now() - this.#lineAt < LINE_INTERVAL_MS) return;
    this.#lineAt = performance.now();
    const percent = share === undefined ? '' : ` (${Math.floor(share * 100)} %)`;
    this.#stream.write(
      `${countRows(done)}${percent}${failures}, ${countRows(rate)}/s${left && `, ${left}`}\n`,
    );
  }

  end(): void {
    this.#bar?.stop();
  }

  /** Rows per second in this run. */
  rate(done: number): number {
    return ((done - this.#before) / (performance.now() - this.#startedAt)) * 1_000;
  }
}
