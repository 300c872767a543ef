/** What keeps an import from going on: a sentence that names the fault and the mend. */
export class ImportFault extends Error {}
