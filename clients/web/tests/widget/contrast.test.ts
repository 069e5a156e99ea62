import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const CSS = readFileSync(join(import.meta.dirname, "../../src/widget/style.css"), "utf8");
const PAIRS = new Map(
  [...CSS.matchAll(/--slotcast-([\w-]+), light-dark\((#\w{6}), (#\w{6})\)/g)].map(
    ([, name, light, dark]) => [name ?? "", { light: light ?? "", dark: dark ?? "" }] as const,
  ),
);

const TEXT = 4.5;
const CONTROL = 3;

/** What stands on what, and how much it has to differ (WCAG 2.2, 1.4.3 and 1.4.11). */
const NEEDED: [string, string, number][] = [
  ["text", "surface", TEXT],
  ["text", "raised", TEXT],
  ["text", "bad-surface", TEXT],
  ["muted", "surface", TEXT],
  ["muted", "raised", TEXT],
  ["accent", "surface", TEXT],
  ["on-accent", "accent", TEXT],
  ["bad", "surface", TEXT],
  ["bad", "raised", TEXT],
  ["surface", "text", TEXT],
  ["control", "surface", CONTROL],
  ["accent", "raised", CONTROL],
];

for (const theme of ["light", "dark"] as const) {
  test.each(NEEDED)(`${theme}: %s on %s`, (front, back, least) => {
    expect(ratio(colour(front, theme), colour(back, theme))).toBeGreaterThanOrEqual(least);
  });

  test.each(["tint", "tint-strong"])(`${theme}: text on the accent's %s`, (name) => {
    const tint = tintOf(name, theme);
    expect(ratio(colour("text", theme), tint)).toBeGreaterThanOrEqual(TEXT);
    expect(ratio(colour("muted", theme), tint)).toBeGreaterThanOrEqual(TEXT);
    expect(ratio(colour("bad", theme), tint)).toBeGreaterThanOrEqual(TEXT);
    expect(ratio(colour("accent", theme), tint)).toBeGreaterThanOrEqual(CONTROL);
  });
}

type Colour = readonly number[];

function colour(name: string, theme: "light" | "dark"): Colour {
  const hex = PAIRS.get(name)?.[theme];
  if (!hex) throw new Error(`style.css has no colour "${name}".`);
  return [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16));
}

/** `oklch(from var(--_accent) LIGHTNESS calc(c * SHARE) h)`, of the light theme and then of the dark. */
function tintOf(name: string, theme: "light" | "dark"): Colour {
  const block = CSS.slice(CSS.indexOf(`--_${name}: light-dark(`));
  const tints = [
    ...block.matchAll(/oklch\(from var\(--_accent\) ([\d.]+) calc\(c \* ([\d.]+)\) h\)/g),
  ];
  const [, lightness, share] = tints[theme === "light" ? 0 : 1] ?? [];
  const [, a, b] = oklabOf(colour("accent", theme));
  return rgbOf([Number(lightness), a * Number(share), b * Number(share)]);
}

type Oklab = readonly [number, number, number];

function oklabOf(colour: Colour): Oklab {
  const [red = 0, green = 0, blue = 0] = colour.map(linear);
  const long = Math.cbrt(0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue);
  const middle = Math.cbrt(0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue);
  const short = Math.cbrt(0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue);
  return [
    0.2104542553 * long + 0.793617785 * middle - 0.0040720468 * short,
    1.9779984951 * long - 2.428592205 * middle + 0.4505937099 * short,
    0.0259040371 * long + 0.7827717662 * middle - 0.808675766 * short,
  ];
}

function rgbOf([lightness, a, b]: Oklab): Colour {
  const long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const middle = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const short = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    4.0767416621 * long - 3.3077115913 * middle + 0.2309699292 * short,
    -1.2684380046 * long + 2.6097574011 * middle - 0.3413193965 * short,
    -0.0041960863 * long - 0.7034186147 * middle + 1.707614701 * short,
  ].map((channel) => Math.min(1, Math.max(0, channel)) ** (1 / 2.4) * 1.055 * 255 - 0.055 * 255);
}

function ratio(one: Colour, other: Colour): number {
  const [dark = 0, light = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

function luminance(colour: Colour): number {
  const [red = 0, green = 0, blue = 0] = colour.map(linear);
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function linear(channel: number): number {
  const share = channel / 255;
  return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
}
