// Makes a failing run short: faults are left out, in halves and then one by one, as long as it still fails (delta debugging,
// Zeller and Hildebrandt, "Simplifying and isolating failure-inducing input", TSE 2002).

export interface Shrunk<Part> {
  /** What is left, in the order given. */
  readonly faults: readonly Part[]
  readonly runs: number
}

/** `fails` runs the seed with only these faults. At most `runsMax` runs; what it could not try in them stays. */
export async function shrinkFaults<Part>(
  faults: readonly Part[],
  fails: (only: readonly Part[]) => Promise<boolean>,
  runsMax: number,
): Promise<Shrunk<Part>> {
  let left = [...faults]
  let runs = 0
  for (let chunk = left.length; left.length > 0; chunk = Math.ceil(chunk / 2)) {
    const before = left.length
    // From the end: what came after the failure is the first to go.
    for (let to = left.length; to > 0; to -= chunk) {
      if (runs === runsMax) return { faults: left, runs }
      const without = [...left.slice(0, Math.max(0, to - chunk)), ...left.slice(to)]
      runs += 1
      if (await fails(without)) left = without
    }
    if (chunk === 1 && left.length === before) break
  }
  return { faults: left, runs }
}
