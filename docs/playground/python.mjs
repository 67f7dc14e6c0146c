// Python for a model: where PyTorch has all of its layers, the module that makes it, with its weights, exported as ONNX; else the file's own framework, or
// onnxruntime over an ONNX file that is made of the model.

/** Lines in `__init__`, an expression in `forward`, and weights `[attribute, constant]`: for each operator. @throws Error for settings PyTorch has not */
const OPERATORS = {
  lstm: (node, context) => recurrent('LSTM', node, context),
  gru: (node, context) => recurrent('GRU', node, context),
  rnn: (node, context) => recurrent('RNN', node, context),
  linear({ parameters }, { module, input, shapeOf }) {
    const [rows, columns] = shapeOf(parameters.weight)
    return {
      make: `torch.nn.Linear(${columns}, ${rows}${parameters.bias === undefined ? ', bias=False' : ''})`, call: `${module}(${input(0)})`,
      weights: [['weight', parameters.weight], ...(parameters.bias === undefined ? [] : [['bias', parameters.bias]])],
    }
  },
  embedding({ parameters }, { module, input, shapeOf }) {
    const [words, size] = shapeOf(parameters.weight)
    return { make: `torch.nn.Embedding(${words}, ${size})`, call: `${module}(${input(0)})`, weights: [['weight', parameters.weight]] }
  },
  softmax: ({ attributes }, { input }) => ({ call: `torch.softmax(${input(0)}, dim=${attributes.axis ?? -1})` }),
  relu: (_node, { input }) => ({ call: `torch.relu(${input(0)})` }),
  tanh: (_node, { input }) => ({ call: `torch.tanh(${input(0)})` }),
  sigmoid: (_node, { input }) => ({ call: `torch.sigmoid(${input(0)})` }),
  add: (_node, { input }) => ({ call: `${input(0)} + ${input(1)}` }),
  sub: (_node, { input }) => ({ call: `${input(0)} - ${input(1)}` }),
  mul: (_node, { input }) => ({ call: `${input(0)} * ${input(1)}` }),
  div: (_node, { input }) => ({ call: `${input(0)} / ${input(1)}` }),
}

/** Attributes with which a node is what PyTorch has. */
const PLAIN = {
  forgetBias: 0, clip: 0, cellClip: 0, projClip: 0, coupling: 'none', layerNorm: false, delaySamples: 1, stateful: false, reversedOutput: false, resetAfter: true,
}
const USUAL = { LSTM: 'sigmoid tanh tanh', GRU: 'sigmoid tanh', RNN: 'tanh' }
const GATES = { LSTM: 4, GRU: 3, RNN: 1 }

function recurrent(kind, node, { module, input, shapeOf }) {
  const { attributes, parameters, inputs } = node
  for (const [name, usual] of Object.entries(PLAIN)) if ((attributes[name] ?? usual) !== usual) throw new Error(`${node.name} has ${name}`)
  const directions = attributes.direction === 'bidirectional' ? ['forward', 'reverse'] : ['forward']
  if (attributes.direction === 'reverse') throw new Error(`${node.name} reads backwards only`)
  if (attributes.activations !== undefined && attributes.activations.join(' ') !== directions.map(() => USUAL[kind]).join(' ')) throw new Error(`${node.name} has other activations`)
  if (Object.keys(parameters).some((role) => role.endsWith('peepholes'))) throw new Error(`${node.name} has peepholes`)
  const states = kind === 'LSTM' ? 2 : 1
  if (inputs.slice(1 + states).some(Boolean)) throw new Error(`${node.name} has a mask`)
  const layers = attributes.numLayers ?? 1
  const features = shapeOf(parameters['0.forward.inputWeights'])[1]
  const weights = []
  for (let layer = 0; layer < layers; layer++) {
    for (const direction of directions) {
      const suffix = `l${layer}${direction === 'reverse' ? '_reverse' : ''}`
      const roles = { inputWeights: 'weight_ih', recurrentWeights: 'weight_hh', inputBias: 'bias_ih', recurrentBias: 'bias_hh', projection: 'weight_hr' }
      for (const [role, name] of Object.entries(roles)) {
        const constant = parameters[`${layer}.${direction}.${role}`]
        if (constant !== undefined) weights.push([`${name}_${suffix}`, constant])
        // PyTorch has both biases or none.
        else if (role.endsWith('Bias')) weights.push([`${name}_${suffix}`, undefined, GATES[kind] * attributes.hiddenSize])
      }
    }
  }
  const settings = [
    features, attributes.hiddenSize, layers > 1 && `num_layers=${layers}`, attributes.timeMajor !== true && 'batch_first=True',
    directions.length > 1 && 'bidirectional=True', attributes.projSize !== undefined && `proj_size=${attributes.projSize}`,
  ].filter(Boolean)
  const initial = inputs.slice(1, 1 + states).filter(Boolean)
  if (initial.length > 0 && initial.length < states) throw new Error(`${node.name} has one initial state of two`)
  const given = initial.length === 0 ? '' : states === 2 ? `, (${input(1)}, ${input(2)})` : `, ${input(1)}`
  const last = directions.length > 1 ? 'torch.cat([h_n[-2], h_n[-1]], dim=-1)' : 'h_n[-1]'
  return {
    make: `torch.nn.${kind}(${settings.join(', ')})`, call: `${module}(${input(0)}${given})`, weights,
    unpack: states === 2 ? 'y, (h_n, c_n)' : 'y, h_n', results: [attributes.returnSequences === false ? last : 'y', 'h_n', 'c_n'],
  }
}

/**
 * @param run `name` of the model's file, the `model` and its `graph`, `inputs` and `outputs` of the run
 * @returns a block: the script, and what it does; `bytes` of an ONNX file that it reads, where that had to be made
 */
export async function pythonFor({ name, model, inputs, outputs, graph, fileOf, isLong }) {
  try {
    return { about: 'makes the same model in PyTorch, with the weights of described.safetensors, and exports it: pip install torch onnx safetensors numpy', file: 'model.py', text: torchScript({ inputs, outputs, graph, fileOf, isLong }) }
  } catch {
    return otherScript(name, model, { inputs, fileOf, isLong })
  }
}

/** @throws Error naming what PyTorch's layers cannot say */
function torchScript({ inputs, outputs, graph, fileOf, isLong }) {
  const variables = new Map(graph.inputs.map(({ name }, n) => [name, identifier(name, `input_${n}`)]))
  const shapeOf = (constant) => {
    const array = graph.constants.get(constant)
    if (array === undefined || array.int8 !== undefined) throw new Error('its weights are of 8 bits')
    return array.shape
  }
  const [init, forward, load] = [[], [], []]
  /** A constant among the inputs of a node is a buffer. */
  const constantOf = (value) => {
    const { shape, dtype } = graph.constants.get(value)
    const buffer = `constant_${init.length}`
    init.push(`        self.register_buffer('${buffer}', torch.zeros(${JSON.stringify(shape)}, dtype=torch.${dtype}))`)
    load.push(`    model.${buffer}.copy_(weights[${JSON.stringify(value)}])`)
    variables.set(value, `self.${buffer}`)
  }
  graph.nodes.forEach((node, n) => {
    const operator = OPERATORS[node.op]
    if (operator === undefined) throw new Error(`it has the operator ${node.op}`)
    const field = identifier(node.name, `layer_${n}`)
    const input = (at) => {
      if (!variables.has(node.inputs[at])) constantOf(node.inputs[at])
      return variables.get(node.inputs[at])
    }
    const { make, call, weights = [], unpack, results } = operator(node, { module: `self.${field}`, input, shapeOf })
    if (make !== undefined) init.push(`        self.${field} = ${make}`)
    for (const [attribute, constant, zeros] of weights) {
      load.push(constant === undefined ? `    model.${field}.${attribute}.zero_()  # ${zeros} numbers that the file does not have` : `    model.${field}.${attribute}.copy_(weights[${JSON.stringify(constant)}])`)
    }
    if (unpack === undefined) {
      variables.set(node.outputs[0], `value_${n}`)
      forward.push(`        value_${n} = ${call}`)
    } else {
      forward.push(`        ${unpack} = ${call}`)
      node.outputs.forEach((value, at) => {
        if (value === '') return
        variables.set(value, `value_${n}_${at}`)
        forward.push(`        value_${n}_${at} = ${results[at]}`)
      })
    }
  })
  const names = graph.inputs.map(({ name }) => name)
  const cannotExport = graph.nodes.some(({ attributes }) => attributes.projSize !== undefined)
  const namesOf = (shape) => Object.fromEntries(shape.flatMap((size, axis) => (typeof size === 'string' ? [[axis, size]] : [])))
  const axes = Object.fromEntries(graph.inputs.map(({ name, shape }) => [name, namesOf(shape)]))
  const example = names.map((input) => {
    const array = inputs[input]
    return isLong(array) ? `torch.from_numpy(np.load('${fileOf(input)}'))` : `torch.tensor([${[...array.data].join(', ')}], dtype=torch.${array.dtype}).reshape(${array.shape.join(', ')})`
  })
  return `import numpy as np
import torch
from safetensors.torch import load_file


class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
${init.join('\n')}

    def forward(self, ${names.map((input) => variables.get(input)).join(', ')}):
${forward.join('\n')}
        return ${graph.outputs.map(({ value }) => variables.get(value)).join(', ')}


model = Model().eval()
weights = load_file('described.safetensors')
with torch.no_grad():
${load.join('\n')}

inputs = (${example.join(', ')},)
with torch.no_grad():
    outputs = model(*inputs)
for name, output in zip(${JSON.stringify(graph.outputs.map(({ name }) => name))}, outputs if isinstance(outputs, tuple) else (outputs,)):
    print(name, list(output.shape), *output.flatten()[:5].tolist())

${cannotExport ? '# PyTorch exports no LSTM with a projection: described.safetensors is the file to load' : exportLines(names, graph.outputs, axes)}
# in the playground it was: ${Object.entries(outputs).map(([output, { data }]) => `${output} ${[...data.slice(0, 5)].join(' ')}`).join('; ')}
`
}

function exportLines(names, outputs, axes) {
  const dynamic = Object.entries(axes).map(([input, sizes]) => `${JSON.stringify(input)}: {${Object.entries(sizes).map(([axis, size]) => `${axis}: ${JSON.stringify(size)}`).join(', ')}}`)
  return `torch.onnx.export(model, inputs, 'model.onnx', input_names=${JSON.stringify(names)}, output_names=${JSON.stringify(outputs.map(({ name }) => name))},
                  dynamic_axes={${dynamic.join(', ')}}, dynamo=False)`
}

const TAKEN = /^(model|self|inputs|outputs|weights|forward|torch|np|y|h_n|c_n)$/
const identifier = (name, otherwise) => (/^[a-z_]\w*$/i.test(name) && !TAKEN.test(name) ? name : otherwise)

/** What the file's own framework does with it; else an ONNX file that is made of the model. */
async function otherScript(name, model, { inputs, fileOf, isLong }) {
  const arrays = Object.entries(inputs).map(([input, array]) => `${JSON.stringify(input)}: ${isLong(array)
    ? `np.load('${fileOf(input)}')`
    : `np.array([${[...array.data].join(', ')}], dtype='${array.dtype}').reshape(${array.shape.join(', ')})`}`)
  const given = `inputs = {${arrays.join(', ')}}`
  if (/\.(keras|h5|hdf5)$/i.test(name)) {
    // Keras 3 reads no layers of older .h5 files.
    const isOld = !/\.keras$/i.test(name)
    return {
      about: `runs the same file on the same input: pip install ${isOld ? 'tf_keras' : 'keras tensorflow'} numpy`, file: 'run.py',
      text: `import numpy as np\n${isOld ? 'import tf_keras as keras' : 'import keras'}\n\nmodel = keras.models.load_model(${JSON.stringify(name)}, compile=False)\n${given}\noutputs = model.predict(list(inputs.values()) if len(inputs) > 1 else next(iter(inputs.values())))\nfor value in outputs if isinstance(outputs, (list, tuple)) else [outputs]:\n    print(list(value.shape), *value.flatten()[:5])\n`,
    }
  }
  if (/\.onnx$/i.test(name)) return { about: 'runs the same file on the same input: pip install onnxruntime numpy', ...onnxScript(name, given) }
  try {
    const bytes = await onnxOf(model)
    return { about: 'runs model.onnx, which was made of the model here, on the same input: pip install onnxruntime numpy', ...onnxScript('model.onnx', given), bytes }
  } catch (error) {
    return { about: `no Python is written for this model: ${error.message}`, file: '', text: '' }
  }
}

function onnxScript(file, given) {
  return {
    file: 'run.py',
    text: `import numpy as np\nimport onnxruntime\n\nsession = onnxruntime.InferenceSession(${JSON.stringify(file)})\n${given}\nfor port, value in zip(session.get_outputs(), session.run(None, inputs)):\n    print(port.name, list(value.shape), *value.flatten()[:5])\n`,
  }
}

const exported = new WeakMap()

/** @throws LstmError listing what ONNX has no counterpart for */
async function onnxOf(model) {
  if (!exported.has(model)) {
    const graph = model.toGraph()
    const taken = new Set(graph.inputs.map(({ name }) => name))
    // States may have one name on both sides here, and not in ONNX.
    const outputs = graph.outputs.map(({ name, ...rest }) => ({ ...rest, name: taken.has(name) ? `${name}_after` : name }))
    exported.set(model, (await import('lstm-wasm/export')).toOnnx({ ...graph, outputs }))
  }
  return exported.get(model)
}
