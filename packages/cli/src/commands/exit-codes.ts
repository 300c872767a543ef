/** Exit codes of all commands. The README and each command's help say what they mean there. */
export const EXIT = {
  ok: 0,
  /** Something is left to do: rows that failed, a difference, a name that is unknown. */
  partial: 1,
  /** An import that created no customer. */
  none: 2,
  /** The command could not begin or continue. */
  fault: 3,
  /** By SIGINT, for which shells use 128 + 2, or by SIGTERM. */
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
