/** ULIDs (github.com/ulid/spec): 48 bits of milliseconds and 80 random bits, in Crockford's base 32, 26 characters. */

const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const timeLength = 10;
const randomLength = 16;

export interface UlidSource {
  now(): number;
  /** Uniform in [0, 1). */
  random(): number;
}

/** A generator whose ids sort in the order they were made, also within a millisecond and when the clock steps back. */
export function ulidFactory(source: UlidSource): () => string {
  let lastTime = -1;
  let digits: number[] = [];
  return () => {
    const time = source.now();
    if (time > lastTime) {
      lastTime = time;
      digits = Array.from({ length: randomLength }, () => Math.floor(source.random() * 32));
    } else if (!increment(digits)) {
      lastTime += 1;
      digits = digits.map(() => 0);
    }
    return encodeTime(lastTime) + digits.map((digit) => alphabet.charAt(digit)).join("");
  };
}

/** Milliseconds since 1970 that a ULID carries, or undefined when the text does not start with one. */
export function ulidTime(text: string): number | undefined {
  let time = 0;
  if (text.length < timeLength + randomLength) return undefined;
  for (let index = 0; index < timeLength + randomLength; index += 1) {
    const digit = alphabet.indexOf(text.charAt(index).toUpperCase());
    if (digit < 0) return undefined;
    if (index < timeLength) time = time * 32 + digit;
  }
  return time;
}

function encodeTime(time: number): string {
  let text = "";
  for (let rest = time, i = 0; i < timeLength; i += 1) {
    text = alphabet.charAt(rest % 32) + text;
    rest = Math.floor(rest / 32);
  }
  return text;
}

/** Adds one to the random part; false when it was all ones and nothing was changed. */
function increment(digits: number[]): boolean {
  for (let i = digits.length - 1; i >= 0; i -= 1) {
    const digit = digits[i] ?? 0;
    if (digit < 31) {
      digits[i] = digit + 1;
      digits.fill(0, i + 1);
      return true;
    }
  }
  return false;
}
