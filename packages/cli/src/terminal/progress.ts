/** How far an import is: a bar on a terminal, a line now and then elsewhere. */
import { SingleBar } from 'cli-progress';
import { count, countRows } from './words.ts';

/** Milliseconds between two lines where there is no terminal: a log should not be flooded. */
const LINE_EVERY_MS = 5_000;

export interface State {
  /** Rows that have become customers or failures. */
  done: number;
  failed: number;
  /** Share of the input that they are, 0 to 1; undefined where its size is not known. */
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
  /** Rows that an earlier run had done: they say nothing of this one's rate. */
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

  show({ done, failed, share }: State): void {
    const rate = this.rate(done);
    const left = share === undefined || share === 0 ? '' : remaining((done / share - done) / rate);
    const failures = failed === 0 ? '' : `, ${count(failed)} failed`;
    if (this.#bar !== undefined) {
      const percent = share === undefined ? '' : `${Math.floor(share * 100)} %`;
      this.#bar.update(share ?? 0, { percent, rows: countRows(done), failures, rate: countRows(rate), left });
      return;
    }
    if (performance.now() - this.#lineAt < LINE_EVERY_MS) return;
    this.#lineAt = performance.now();
    const percent = share === undefined ? '' : ` (${Math.floor(share * 100)} %)`;
    this.#stream.write(
      `${countRows(done)}${percent}${failures}, ${countRows(rate)}/s${left && `, ${left}`}\n`,
    );
  }

  end(): void {
    this.#bar?.stop();
  }

  /** Rows a second, of this run. */
  rate(done: number): number {
    return ((done - this.#before) / (performance.now() - this.#startedAt)) * 1_000;
  }
}
