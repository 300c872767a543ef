/** The events of log lines: a closed set, each explained in docs/operations.md. The Worker uses only the type. */
export const LOG_EVENTS = [
  'batch_send_failed',
  'batch_stalled',
  'chunk_done',
  'chunk_failed',
  'chunks_sent_again',
  'dead_letter_failed',
  'dependency_unavailable',
  'failed_try_not_recorded',
  'field_key_missing',
  'key_not_checked',
  'key_use_not_noted',
  'lost_answer_read_back',
  'payee_budget_used_up',
  'phrase_cache_failed',
  'rate_limiter_failed',
  'removal_backlog',
  'request',
  'row_rejected',
  'sweep_failed',
  'unreadable_message',
] as const;
export type LogEvent = (typeof LOG_EVENTS)[number];
