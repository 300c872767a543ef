/** What keeps an import from going on: a sentence that names the fault and the mend. */
export class ImportFault extends Error {}

/** An import that had begun ended before its last row. Its cause says why. */
export class ImportStopped extends Error {
  constructor(cause: unknown) {
    super('The import has stopped.', { cause });
  }
}
