declare module '*?raw' {
  const text: string;
  export default text;
}

interface ImportMeta {
  /** Vite's: the files that match the patterns, by path relative to the importing file. */
  glob<File = unknown>(
    patterns: string | readonly string[],
    options?: { query?: string; import?: string; eager?: boolean },
  ): Record<string, File>;
}
