// Examples below the help of a command: what one would type, and what it is for.

/** Pairs of a command line and its purpose. */
export function examples(...lines: readonly (readonly [command: string, purpose: string])[]): string {
  return `\nExamples:\n${lines.map(([command, purpose]) => `  ${command}\n      ${purpose}\n`).join('')}`
}
