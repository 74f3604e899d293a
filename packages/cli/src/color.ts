// Colours for people: never in a pipe, never where NO_COLOR asks for none (no-color.org).
import process from 'node:process'
import { styleText } from 'node:util'

export const colorChoices = ['auto', 'always', 'never'] as const
export type ColorChoice = (typeof colorChoices)[number]

/** Whether to paint what goes to a stream. */
export function useColor(choice: ColorChoice, isTerminal: boolean): boolean {
  if (choice !== 'auto') return choice === 'always'
  const { NO_COLOR, TERM } = process.env
  return isTerminal && (NO_COLOR === undefined || NO_COLOR === '') && TERM !== 'dumb'
}

export type Style = 'bold' | 'dim' | 'green' | 'yellow' | 'red'

/** A text with its style, or as it is. */
export function paint(text: string, style: Style | null, color: boolean): string {
  return color && style !== null ? styleText(style, text, { validateStream: false }) : text
}
