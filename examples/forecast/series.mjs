// A series for whoever has no file at hand: the hourly load of a town, made of formulas, the same for the same seed.
import { seeded } from '../charrnn/generate.mjs'

const DAY = 24
const WEEK = 7 * DAY

/**
 * Megawatts, hour by hour from a Monday at midnight: working days with two peaks, quiet weekends, weather that comes and goes, and noise that lingers.
 * @returns { name, values: Float64Array }
 */
export function makeLoad({ weeks = 30, seed = 1 } = {}) {
  const random = seeded(seed)
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random()) // Box and Muller, 1958
  let noise = 0
  const values = Float64Array.from({ length: weeks * WEEK }, (_, hour) => {
    const time = hour % DAY
    const isWeekend = hour % WEEK >= 5 * DAY
    const peaks = 14 * bump(time, isWeekend ? 11 : 8.5, 2.5) + 18 * bump(time, 19, 2.5)
    const weather = 4 * Math.sin(2 * Math.PI * hour / (17.3 * DAY)) + 3 * Math.sin(2 * Math.PI * hour / (5.9 * DAY) + 1)
    noise = 0.85 * noise + 0.7 * normal()
    return 40 + (isWeekend ? 0.55 * peaks - 4 : peaks) + weather + noise
  })
  return { name: 'load, in megawatts', values }
}

function bump(time, centre, width) {
  return Math.exp(-(((time - centre) / width) ** 2))
}
