// npm run test:sessions: hosts of examples/sessions that are killed in mid-stream.
import './nats.mjs'
import './websocket.mjs'
import './score.mjs'
