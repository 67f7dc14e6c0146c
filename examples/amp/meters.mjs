// Level meters and waveforms of what goes into the amplifier and comes out.
import { clearCanvas, colourOf } from '../canvas.mjs'

const FLOOR = -60 // decibels
const FALL = 0.7 // decibels a picture

const element = (id) => document.getElementById(id)

export class Meters {
  #context
  #ports
  #isRunning = false

  constructor(context, { input, output }) {
    this.#context = context
    this.#ports = [['in', input, 'cool'], ['out', output, 'warm']].map(([id, node, colour]) => {
      const analyser = new AnalyserNode(context, { fftSize: 2048 })
      node.connect(analyser)
      return { id, analyser, colour, samples: new Float32Array(analyser.fftSize), level: FLOOR }
    })
  }

  start() {
    if (!this.#isRunning) requestAnimationFrame(() => this.#draw())
    this.#isRunning = true
  }

  #draw() {
    const scope = clearCanvas(element('scope'))
    for (const port of this.#ports) {
      port.analyser.getFloatTimeDomainData(port.samples)
      this.#showLevel(port)
      drawWave(scope, port)
    }
    if (this.#context.state === 'running') requestAnimationFrame(() => this.#draw())
    else this.#isRunning = false
  }

  /** Peaks are shown at once, and fall slowly. */
  #showLevel(port) {
    const peak = port.samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0)
    port.level = Math.max(20 * Math.log10(peak), port.level - FALL, FLOOR)
    element(port.id).value = port.level
    element(`${port.id}-value`).textContent = port.level <= FLOOR ? 'silent' : `${port.level.toFixed(0)} dB`
  }
}

function drawWave({ picture, width, height }, { samples, colour }) {
  // From the first upward zero crossing on, so that the picture stands still.
  const begin = Math.max(0, samples.findIndex((sample, n) => n > 0 && sample >= 0 && samples[n - 1] < 0))
  const shown = samples.length / 2
  picture.beginPath()
  for (let n = 0; n < shown; n++) picture.lineTo(n / (shown - 1) * width, (0.5 - samples[Math.min(begin, shown) + n] * 0.45) * height)
  picture.strokeStyle = colourOf(colour)
  picture.lineWidth = 2
  picture.stroke()
}
