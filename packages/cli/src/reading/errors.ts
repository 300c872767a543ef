/** A command can't begin or continue. Its message is a sentence that names the fault and the fix. */
export class CommandError extends Error {}

/** A command ended before its work was done. Its cause says why. */
export class StoppedError extends Error {}

/** There is nothing to import. */
export class EmptyFileError extends CommandError {
  constructor(name: string) {
    super(`${name} is empty: there is nothing to import.`);
  }
}
