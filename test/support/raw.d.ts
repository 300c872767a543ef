declare module '*?raw' {
  const text: string;
  export default text;
}

/** What Vite makes of it: the texts of the files that match, by their path relative to the file that asks. */
interface ImportMeta {
  glob<Text extends string>(
    pattern: string,
    options: { query: '?raw'; import: 'default'; eager: true },
  ): Record<string, Text>;
}
