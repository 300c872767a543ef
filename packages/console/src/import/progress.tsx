/** How far a check or an import has come. */
import { useEffect, useState } from 'preact/hooks';
import { count, counted, duration } from '../ui/format.ts';
import type { Progress } from './import-state.ts';

interface ProgressProps {
  label: string;
  progress: Progress;
  total: number | undefined;
  isPaused: boolean;
}

const TICK_MS = 1_000;

export function ProgressBar({ label, progress, total, isPaused }: ProgressProps) {
  const { created, failed, startedAt } = progress;
  const [pausedMs, setPausedMs] = useState(0);
  const [, setTick] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => setTick((tick) => tick + 1), TICK_MS);
    return () => clearInterval(timer);
  }, []);
  // The time in which it is paused does not count for its rate.
  useEffect(() => {
    if (!isPaused) return undefined;
    const from = performance.now();
    return () => setPausedMs((before) => before + performance.now() - from);
  }, [isPaused]);
  const done = created + failed;
  const rate = (done / Math.max(performance.now() - startedAt - pausedMs, 1)) * 1_000;
  const left = total === undefined || done === 0 ? undefined : (total - done) / rate;
  const percent = total === undefined ? undefined : Math.floor((done / total) * 100);
  return (
    <div class="progress">
      <progress aria-label={label} max={total ?? 1} value={total === undefined ? undefined : done} />
      <div class="numbers">
        <span>
          <strong>{percent === undefined ? '' : `${percent} %`}</strong> {count(done)}
          {total === undefined ? ' rows' : ` of ${counted(total, 'row')}`}
          {failed > 0 && <span class="bad-text">, {count(failed)} failed</span>}
        </span>
        <span class="soft">
          {isPaused
            ? 'Paused. What was sent is safe.'
            : `${done === 0 ? '…' : count(rate)} rows/s${left === undefined ? '' : `, about ${duration(left)} left`}`}
        </span>
      </div>
      {/* Said a few times only: a screen reader would never get to the end otherwise. */}
      <span class="visually-hidden" role="status">
        {percent === undefined ? '' : `${Math.floor(percent / 10) * 10} percent done`}
      </span>
    </div>
  );
}
