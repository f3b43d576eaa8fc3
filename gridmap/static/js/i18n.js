/** Sentences of scripts: Chinese is the key, English comes with the page in #messages. */

const element = document.getElementById("messages");
const english = element ? JSON.parse(element.textContent) : {};

/** The language of the page: "zh" or "en". */
export const language = document.documentElement.lang.startsWith("en") ? "en" : "zh";

/** `text` in the page's language; `{name}` is filled from `values`. */
export function t(text, values = {}) {
  const sentence = (language === "en" && english[text]) || text;
  return sentence.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? values[name] : whole));
}

const locale = language === "en" ? "en-GB" : "zh-CN";
const formats = new Map();

/** A number with grouped thousands; a dash where there is none. */
export function number(value, digits = 0) {
  if (value === null || value === undefined || Number.isNaN(value)) return "—";
  if (!formats.has(digits)) {
    formats.set(digits, new Intl.NumberFormat(locale, { maximumFractionDigits: digits, minimumFractionDigits: digits }));
  }
  return formats.get(digits).format(value);
}
