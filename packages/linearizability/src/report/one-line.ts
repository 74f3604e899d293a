// Text of others on a terminal: what could move the cursor or break the line is shown as a question mark.

export function oneLine(text: string): string {
  return text.replaceAll(/\p{C}/gu, '?')
}
