// Where input comes from besides typing: files, a drawing, the microphone.
import { LstmError } from 'lstm-wasm'
import { readNpy } from 'lstm-wasm/npy'
import { fitted, numbersOfText } from './values.mjs'

const SAMPLE_RATE = 16_000
/** A digit fills 20 of 28 pixels, as those of MNIST do. */
const FILLED = 20 / 28

/** An input of a file: .npy, .json, numbers as text, a picture or a sound. @throws LstmError */
export async function arrayOfFile(port, file, sizes) {
  const type = file.type.split('/')[0]
  if (/\.npy$/i.test(file.name)) {
    const array = await readNpy(await file.arrayBuffer())
    return array.shape.length === port.shape.length ? array : fitted(port, array.data, sizes)
  }
  if (type === 'image') return fitted(port, await pixelsOf(file, port), sizes)
  if (type === 'audio' || /\.(wav|mp3|ogg|flac|m4a)$/i.test(file.name)) return fitted(port, await samplesOf(await file.arrayBuffer(), file.name), sizes)
  const text = await file.text()
  if (/\.json$/i.test(file.name)) {
    let value
    try {
      value = JSON.parse(text)
    } catch (cause) {
      throw new LstmError('FORMAT', `${file.name}: expected JSON: ${cause.message}`, { cause })
    }
    return fitted(port, (Array.isArray(value) ? value : Array.isArray(value?.[port.name]) ? value[port.name] : []).flat(Infinity), sizes)
  }
  return fitted(port, numbersOfText(text, file.name), sizes)
}

/** Brightness of a picture, 0 to 1, in the size that the model wants. */
async function pixelsOf(file, { shape }) {
  const picture = await createImageBitmap(file).catch(() => {
    throw new LstmError('FORMAT', `${file.name}: the browser knows no picture in this file`)
  })
  const sizes = shape.filter((size) => typeof size === 'number' && size > 4)
  const [height, width] = sizes.length >= 2 ? sizes.slice(-2) : [picture.height, picture.width]
  const canvas = new OffscreenCanvas(width, height)
  canvas.getContext('2d').drawImage(picture, 0, 0, width, height)
  return brightness(canvas.getContext('2d').getImageData(0, 0, width, height))
}

const brightness = ({ data }) => Float32Array.from({ length: data.length / 4 }, (_, n) => (data[4 * n] + data[4 * n + 1] + data[4 * n + 2]) / 3 / 255)

/** One channel of a sound, at 16 kHz. */
export async function samplesOf(buffer, name) {
  const context = new OfflineAudioContext(1, 1, SAMPLE_RATE)
  const sound = await context.decodeAudioData(buffer).catch(() => {
    throw new LstmError('FORMAT', `${name}: the browser knows no sound in this file`)
  })
  const mono = new Float32Array(sound.length)
  for (let channel = 0; channel < sound.numberOfChannels; channel++) {
    sound.getChannelData(channel).forEach((sample, n) => (mono[n] += sample / sound.numberOfChannels))
  }
  return mono
}

/** Records some seconds. @throws Error in words where there is no microphone, or it is not allowed */
export async function record(seconds, onSecond) {
  if (navigator.mediaDevices?.getUserMedia === undefined) throw new Error('This page may not use a microphone: browsers allow it on https: and localhost only.')
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true }).catch((error) => {
    throw new Error(error.name === 'NotFoundError' ? 'There is no microphone.' : 'The browser did not allow the microphone.')
  })
  try {
    const recorder = new MediaRecorder(stream)
    const pieces = []
    recorder.addEventListener('dataavailable', ({ data }) => pieces.push(data))
    const stopped = new Promise((resolve) => recorder.addEventListener('stop', resolve))
    recorder.start()
    for (let second = 0; second < seconds; second++) {
      onSecond(seconds - second)
      await new Promise((resolve) => setTimeout(resolve, 1000))
    }
    recorder.stop()
    await stopped
    return await samplesOf(await new Blob(pieces).arrayBuffer(), 'the recording')
  } finally {
    for (const track of stream.getTracks()) track.stop()
  }
}

/** Lets somebody draw on a canvas with mouse, pen or finger; `onStroke` after every line. */
export function drawable(canvas, onStroke) {
  const side = 280
  canvas.width = canvas.height = side
  const picture = canvas.getContext('2d', { willReadFrequently: true })
  const clear = () => {
    picture.fillStyle = '#000'
    picture.fillRect(0, 0, side, side)
  }
  clear()
  let before
  const place = ({ clientX, clientY }) => {
    const { left, top, width, height } = canvas.getBoundingClientRect()
    return [(clientX - left) / width * side, (clientY - top) / height * side]
  }
  canvas.addEventListener('pointerdown', (event) => {
    canvas.setPointerCapture(event.pointerId)
    before = place(event)
    line(before)
  })
  const line = (to) => {
    Object.assign(picture, { strokeStyle: '#fff', lineWidth: 22, lineCap: 'round', lineJoin: 'round' })
    picture.beginPath()
    picture.moveTo(...before)
    picture.lineTo(...to)
    picture.stroke()
    before = to
  }
  canvas.addEventListener('pointermove', (event) => {
    if (before === undefined) return
    line(place(event))
  })
  for (const name of ['pointerup', 'pointercancel']) {
    canvas.addEventListener(name, () => {
      if (before === undefined) return
      before = undefined
      onStroke()
    })
  }
  return { clear, pixels: (height, width) => drawnPixels(picture, side, height, width) }
}

/** What was drawn, in a box of the middle, and moved so that its weight is there, too; nothing drawn is all black. */
function drawnPixels(picture, side, height, width) {
  const all = brightness(picture.getImageData(0, 0, side, side))
  let [left, right, top, bottom] = [side, -1, side, -1]
  all.forEach((value, n) => {
    if (value < 0.1) return
    left = Math.min(left, n % side)
    right = Math.max(right, n % side)
    top = Math.min(top, Math.floor(n / side))
    bottom = Math.max(bottom, Math.floor(n / side))
  })
  if (right < 0) return new Float32Array(height * width)
  const scale = FILLED * Math.min(width, height) / Math.max(right - left + 1, bottom - top + 1)
  const render = (x, y) => {
    const small = new OffscreenCanvas(width, height).getContext('2d')
    small.imageSmoothingQuality = 'high'
    small.drawImage(picture.canvas, left, top, right - left + 1, bottom - top + 1, x, y, (right - left + 1) * scale, (bottom - top + 1) * scale)
    return brightness(small.getImageData(0, 0, width, height))
  }
  const [x, y] = [(width - (right - left + 1) * scale) / 2, (height - (bottom - top + 1) * scale) / 2]
  const centred = render(x, y)
  let [sum, sumX, sumY] = [0, 0, 0]
  centred.forEach((value, n) => {
    sum += value
    sumX += value * (n % width + 0.5)
    sumY += value * (Math.floor(n / width) + 0.5)
  })
  return render(x + width / 2 - sumX / sum, y + height / 2 - sumY / sum)
}
