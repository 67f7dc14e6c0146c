// As AWS Lambda wants it: the model is loaded once, and kept while the function is warm.
import { answer } from './answer.js'

export async function handler({ path }) {
  return { statusCode: 200, body: await answer(path) }
}
