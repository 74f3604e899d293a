// The text of `/metrics`: everything is read at the moment somebody asks, nothing is kept up to date for it.
import type { NodeMeasures, QuorateNode } from '@quorate/node'
import { durationBoundsMs } from '@quorate/storage'
import { collectDefaultMetrics, Counter, Gauge, type Metric, Registry } from 'prom-client'
import { version } from '../version.ts'
import { type MetricDefinition, metricDefinitions } from './node-metrics.ts'

export interface Metrics {
  readonly contentType: string
  /** Those who ask at the same moment share one answer. */
  render(): Promise<string>
}

const writeSeconds = 'quorate_log_write_seconds'

export function createMetrics(node: Pick<QuorateNode, 'measures' | 'readiness'>, name: string): Metrics {
  const registry = new Registry()
  registry.setDefaultLabels({ node: name })
  collectDefaultMetrics({ register: registry, prefix: 'quorate_' })
  // Of one moment for all of them, and null before the node has any.
  let measures: NodeMeasures | null = null
  const current = (): NodeMeasures | null => measures
  for (const definition of metricDefinitions) register(registry, definition, current)
  for (const metric of [readinessGauge(node), writeHistogram(current), buildGauge()])
    registry.registerMetric(metric)
  let rendering: Promise<string> | null = null
  return {
    contentType: registry.contentType,
    render: () => {
      if (rendering !== null) return rendering
      measures = node.measures()
      rendering = registry.metrics().finally(() => {
        rendering = null
        measures = null
      })
      return rendering
    },
  }
}

function register(
  registry: Registry,
  { name, help, type, labels, read }: MetricDefinition,
  current: () => NodeMeasures | null,
): void {
  const common = { name, help, labelNames: [...labels], registers: [] }
  const samples = () => {
    const measures = current()
    return measures === null ? [] : read(measures)
  }
  // What is not hosted here any more, or has another role now, is not to be shown as it was.
  const metric =
    type === 'gauge'
      ? new Gauge({
          ...common,
          collect() {
            this.reset()
            for (const sample of samples()) this.set(sample.labels, sample.value)
          },
        })
      : new Counter({
          ...common,
          collect() {
            this.reset()
            for (const sample of samples()) this.inc(sample.labels, sample.value)
          },
        })
  registry.registerMetric(metric)
}

function readinessGauge(node: Pick<QuorateNode, 'readiness'>): Gauge {
  return new Gauge({
    name: 'quorate_ready',
    help: '1 while every check of /readyz is ok',
    registers: [],
    collect() {
      this.set(node.readiness().every(({ ok }) => ok) ? 1 : 0)
    },
  })
}

function buildGauge(): Gauge {
  const gauge = new Gauge({
    name: 'quorate_build_info',
    help: 'Always 1; the version that runs',
    labelNames: ['version', 'nodejs'],
    registers: [],
  })
  gauge.set({ version, nodejs: process.version }, 1)
  return gauge
}

/** The log counts into classes by itself; a histogram of the library would want every duration. */
function writeHistogram(current: () => NodeMeasures | null): Metric {
  const name = writeSeconds
  const histogram = {
    name,
    help: 'How long a write of the log took, with its sync',
    type: 'histogram',
    aggregator: 'sum',
    get: () => Promise.resolve({ ...histogram, values: histogramValues(current()) }),
  }
  return histogram as unknown as Metric
}

function histogramValues(
  measures: NodeMeasures | null,
): { metricName: string; labels: Record<string, string>; value: number }[] {
  if (measures === null) return []
  const { counts, sumMs } = measures.log.durations
  let below = 0
  const buckets = [...durationBoundsMs, Infinity].map((bound, place) => {
    below += counts[place] ?? 0
    const le = bound === Infinity ? '+Inf' : String(bound / 1000)
    return { metricName: `${writeSeconds}_bucket`, labels: { le }, value: below }
  })
  return [
    ...buckets,
    { metricName: `${writeSeconds}_sum`, labels: {}, value: sumMs / 1000 },
    { metricName: `${writeSeconds}_count`, labels: {}, value: below },
  ]
}
