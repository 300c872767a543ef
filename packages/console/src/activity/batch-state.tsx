/** The state of a batch as a word and a colour. */
import type { Batch } from '@peere/client';
import { Badge, type Tone } from '../ui/parts.tsx';

/** Between two looks while a batch is in process. */
export const BATCH_POLL_MS = 2_000;

const STATES: Record<Batch['status'], [tone: Tone, words: string]> = {
  PROCESSING: ['busy', 'In process'],
  STALLED: ['bad', 'Stalled'],
  COMPLETED: ['good', 'Completed'],
  COMPLETED_WITH_FAILURES: ['warn', 'Completed with failures'],
};

export function BatchState({ status }: { status: Batch['status'] }) {
  const [tone, words] = STATES[status];
  return <Badge tone={tone}>{words}</Badge>;
}
