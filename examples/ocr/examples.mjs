// Lines to begin with, drawn by the fonts of this device.

const TEXTS = {
  eng: ['The quick brown fox, 24 July 1969', 'It cost $38.50 - twice as much!', 'Call me Ishmael. Some years ago', 'Rivers & bridges (37 % of 1,204)'],
  deu: ['Größe und Maß: 12,50 € im März', 'Zwölf Boxkämpfer jagen Viktor'],
  fra: ['Où est passé le garçon, à Noël ?', 'Voilà 25 œufs très frais'],
  ara: ['مرحبا بالعالم', 'القراءة في 2026 سهلة'],
  heb: ['שלום עולם', 'קו אחד של טקסט'],
  hin: ['नमस्ते दुनिया', 'यह एक पंक्ति है'],
  kor: ['안녕하세요 세계', '한 줄을 읽습니다'],
  jpn: ['こんにちは世界', '一行を読みます'],
  chi_sim: ['你好，世界', '读一行文字'],
  rus: ['Привет, мир! 1961 год', 'Съешь ещё этих мягких булок'],
}
const FONTS = ['30px Georgia, "DejaVu Serif", serif', 'italic 34px Georgia, "DejaVu Serif", serif', 'bold 28px system-ui, "DejaVu Sans", sans-serif', '26px "Courier New", "DejaVu Sans Mono", monospace']
const MARGIN = 24

/** The nth example in a language, on paper that is not quite white. */
export function exampleLine(language, n) {
  const texts = TEXTS[language] ?? TEXTS.eng
  const font = FONTS[n % FONTS.length]
  const text = texts[n % texts.length]
  const measuring = new OffscreenCanvas(1, 1).getContext('2d')
  measuring.font = font
  const canvas = new OffscreenCanvas(Math.ceil(measuring.measureText(text).width) + 2 * MARGIN, 84)
  const picture = canvas.getContext('2d')
  picture.fillStyle = '#f4efe4'
  picture.fillRect(0, 0, canvas.width, canvas.height)
  Object.assign(picture, { font, fillStyle: '#2b2622', textBaseline: 'middle' })
  picture.fillText(text, MARGIN, canvas.height / 2)
  return canvas
}
