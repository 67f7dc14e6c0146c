module.exports = { projects: ['node', 'jsdom'].map((name) => ({ displayName: name, testEnvironment: name, testMatch: ['**/*.test.cjs'] })) }
