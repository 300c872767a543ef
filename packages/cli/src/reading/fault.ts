/** What keeps an import from going on: a sentence that names the fault and the mend. */
export class ImportFault extends Error {}

/** There is nothing to import. */
export class EmptyFile extends ImportFault {
  constructor(name: string) {
    super(`${name} is empty: there is nothing to import.`);
  }
}

/** The file is not what was looked through any more. */
export class FileChanged extends ImportFault {
  constructor(name: string) {
    super(`${name} has changed while it was imported.`);
  }
}

/** An import that had begun ended before its last row. Its cause says why. */
export class ImportStopped extends Error {
  /** Batches of it are known to have been accepted. */
  readonly wasSent: boolean;

  constructor(cause: unknown, wasSent: boolean) {
    super('The import has stopped.', { cause });
    this.wasSent = wasSent;
  }
}
