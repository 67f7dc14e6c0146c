// Reader of Keras models.
export { keras, readKeras, readKerasWeights, type KerasOptions } from './keras.ts'
