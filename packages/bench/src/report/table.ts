// Tables of text: columns as wide as their widest cell, the first to the left, numbers to the right.

export function formatTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [header, ...rows]
  const widths = header.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)))
  const line = (row: readonly string[]): string =>
    widths
      .map(
        (width, column) => (column === 0 ? row[column]?.padEnd(width) : row[column]?.padStart(width)) ?? '',
      )
      .join('  ')
      .trimEnd()
  return [line(header), widths.map((width) => '-'.repeat(width)).join('  '), ...rows.map(line)].join('\n')
}

/** Three significant digits at most, thousands with commas; `-` where there is nothing. */
export function formatNumber(number: number | null | undefined): string {
  if (number === null || number === undefined || Number.isNaN(number)) return '-'
  if (!Number.isFinite(number)) return String(number)
  if (Math.abs(number) >= 100) return Math.round(number).toLocaleString('en-US')
  return String(Number(number.toPrecision(3)))
}
