// How a node logs: names that flags and files use.
export const logFormats = ['auto', 'json', 'pretty'] as const

export const logLevels = ['debug', 'info', 'warn', 'error'] as const
export type LogLevel = (typeof logLevels)[number]
