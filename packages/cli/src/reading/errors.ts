/** A command can't begin or continue. Its message is a sentence that names the fault and the fix. */
export class CommandError extends Error {}

/** A file is no table in UTF-8. The console says what to do in its own words: its users have no terminal. */
export class NotTextError extends CommandError {
  readonly kind: 'workbook' | 'picture' | 'markup' | 'encoding';

  constructor(kind: NotTextError['kind'], message: string) {
    super(message);
    this.kind = kind;
  }
}

/** A command ended before its work was done. Its cause says why. */
export class StoppedError extends Error {}

/** There is nothing to import. */
export class EmptyFileError extends CommandError {
  constructor(name: string) {
    super(`${name} is empty: there is nothing to import.`);
  }
}
