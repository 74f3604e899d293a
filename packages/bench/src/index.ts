// What tests look at; the programs are `main-bench` and the processes it starts.
export { parseBenchOptions } from './arguments.ts'
export { Histogram } from './load/histogram.ts'
export { everyKeyOnce, randomKeys } from './load/keys.ts'
export { type Measurement, median, quantile } from './measurement.ts'
export { summarise } from './profile/summarise.ts'
export { Results, pairedRatio } from './report/results.ts'
export { formatNumber, formatTable } from './report/table.ts'
export { judge, type Target, targets } from './report/targets.ts'
