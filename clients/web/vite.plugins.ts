import { gzipSync } from "node:zlib";
import type { Plugin, Rolldown } from "vite";

/** Of the locales that react-aria has texts for, those that the widget speaks. */
const SPOKEN = new Set(["en", "de", "es", "fr", "ar", "ja"]);
const ARIA_TEXTS = /\/react-(?:aria|stately)\/.*\/intl\/.*\/([a-z]{2})-[A-Z]{2}\.\w+$/;

/** Leaves out react-aria's texts in languages that the widget does not speak. */
export function spokenLocales(): Plugin {
  return {
    name: "slotcast-spoken-locales",
    enforce: "pre",
    load(id) {
      const language = ARIA_TEXTS.exec(id)?.[1];
      return language && !SPOKEN.has(language) ? "export default {};" : null;
    },
  };
}

/** Lets a library's entry bring its style, which becomes a file beside it; its types do not speak of it. */
export function styleOf(entry: string): Plugin {
  return {
    name: "slotcast-style",
    transform: (code, id) => (id === entry ? `import "./widget/style.css";\n${code}` : null),
  };
}

const PROTOBUF_JSON = /\/@bufbuild\/protobuf\/dist\/esm\/(from|to)-json\.js$/;

/** Leaves out protobuf's JSON: 8 kB compressed that connect brings along, and binary grpc-web never calls. */
export function withoutProtobufJson(): Plugin {
  const names = {
    from: [
      "fromJson",
      "fromJsonString",
      "mergeFromJson",
      "mergeFromJsonString",
      "enumFromJson",
      "isEnumJson",
    ],
    to: ["toJson", "toJsonString", "enumToJson"],
  };
  return {
    name: "slotcast-without-protobuf-json",
    enforce: "pre",
    load(id) {
      const way = PROTOBUF_JSON.exec(id)?.[1] as keyof typeof names | undefined;
      if (!way) return null;
      const exported = names[way].map((name) => `export const ${name} = refuse;`);
      return `function refuse() { throw new Error("This build has no JSON."); }\n${exported.join("\n")}`;
    },
  };
}

/** Fails the build when the script of the first screen is larger than this, compressed. */
export const FIRST_SCREEN_BYTES_MAX = 60_000;

/** Prints what an entry costs before anything is shown, and what comes later. */
export function firstScreenSize(): Plugin {
  return {
    name: "slotcast-first-screen-size",
    generateBundle(_options, bundle) {
      const chunks = Object.values(bundle).filter((file) => file.type === "chunk");
      const first = new Set(
        chunks.filter(({ isEntry }) => isEntry).flatMap((entry) => withImports(entry, chunks)),
      );
      const bytes = sum([...first].map(compressedBytes));
      const later = chunks.filter((chunk) => !first.has(chunk));
      const lines = [
        `First screen: ${kilobytes(bytes)} of script, compressed; the limit is ${kilobytes(FIRST_SCREEN_BYTES_MAX)}.`,
        ...later.map((chunk) => `  later: ${kilobytes(compressedBytes(chunk))}  ${chunk.fileName}`),
      ];
      console.log(lines.join("\n"));
      if (bytes > FIRST_SCREEN_BYTES_MAX) this.error("The first screen is larger than its limit.");
    },
  };
}

function withImports(
  chunk: Rolldown.OutputChunk,
  chunks: readonly Rolldown.OutputChunk[],
): Rolldown.OutputChunk[] {
  const imported = chunks.filter(({ fileName }) => chunk.imports.includes(fileName));
  return [chunk, ...imported.flatMap((each) => withImports(each, chunks))];
}

function compressedBytes({ code }: Rolldown.OutputChunk): number {
  return gzipSync(code, { level: 9 }).length;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}

function kilobytes(bytes: number): string {
  return `${(bytes / 1000).toFixed(1)} kB`;
}
