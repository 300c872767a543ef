/** A command can't begin or continue. Its message is a sentence that names the fault and the fix. */
export class CommandError extends Error {}

/** There is nothing to import. */
export class EmptyFileError extends CommandError {
  constructor(name: string) {
    super(`${name} is empty: there is nothing to import.`);
  }
}
