// One tool for linting and for the format, because it is the one that also reads assembly/:
// AssemblyScript's function decorators are not TypeScript, which other formatters refuse.
import stylistic from '@stylistic/eslint-plugin'
import tseslint from 'typescript-eslint'

const format = stylistic.configs.customize({
  indent: 2, quotes: 'single', semi: false, arrowParens: true, braceStyle: '1tbs', commaDangle: 'always-multiline',
})

export default tseslint.config(
  { ignores: ['build/', 'dist/', 'coverage/', '**/node_modules/', '**/.wrangler/', 'src/contract/', 'src/runtime/binaries/', 'test/bundlers/plain/source.js'] }, // the last: `import source`, which the parser does not know
  format,
  {
    rules: {
      '@stylistic/max-len': ['error', { code: 160, ignoreUrls: true, ignoreTemplateLiterals: true, ignoreStrings: true }],
      '@stylistic/member-delimiter-style': ['error', {
        multiline: { delimiter: 'none' }, singleline: { delimiter: 'comma', requireLast: false },
      }],
      '@stylistic/quotes': ['error', 'single', { avoidEscape: true, allowTemplateLiterals: 'never' }],
      '@stylistic/operator-linebreak': ['error', 'before', { overrides: { '=': 'ignore' } }],
      'curly': ['error', 'multi-line'],
      'eqeqeq': 'error',
      'no-var': 'error',
      'prefer-const': 'error',
    },
  },
  {
    files: ['**/*.ts'],
    ignores: ['assembly/**', 'bench/roofline/assembly/**'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      // The index is checked by the loop around it; noUncheckedIndexedAccess asks for these.
      '@typescript-eslint/non-nullable-type-assertion-style': 'off',
      '@typescript-eslint/no-unnecessary-type-parameters': 'off',
      // Callers may write JavaScript: what the types promise is checked all the same.
      '@typescript-eslint/no-unnecessary-condition': 'off',
      // makeDisposable adds Symbol.dispose to classes; merging declares it.
      '@typescript-eslint/no-unsafe-declaration-merging': 'off',
      '@typescript-eslint/consistent-generic-constructors': ['error', 'type-annotation'],
      '@typescript-eslint/no-confusing-void-expression': 'off',
      '@typescript-eslint/prefer-for-of': 'off',
      // isolatedDeclarations wants types on exported constants, also where they could be inferred.
      '@typescript-eslint/no-inferrable-types': 'off',
      // `async` without `await` turns synchronous throws into rejections.
      '@typescript-eslint/require-await': 'off',
    },
  },
  {
    // The other engines and the charts' library are installed by bench:setup only, without types.
    files: ['bench/**/*.ts'],
    rules: {
      '@typescript-eslint/no-explicit-any': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/explicit-module-boundary-types': 'off',
    },
  },
  {
    files: ['assembly/**/*.ts', 'bench/roofline/assembly/*.ts'],
    languageOptions: { parser: tseslint.parser, parserOptions: { allowInvalidAST: true } },
    plugins: { '@typescript-eslint': tseslint.plugin },
    rules: {
      // Decorated constants confuse the indentation of the line below the decorator.
      '@stylistic/indent': ['error', 2, { ignoredNodes: ['Program > ExpressionStatement', 'Program > VariableDeclaration'] }],
      '@typescript-eslint/no-unused-vars': 'error',
      '@typescript-eslint/no-shadow': ['error', { builtinGlobals: false }],
      // AssemblyScript's == compares numbers of one type.
      'eqeqeq': 'off',
      'no-dupe-else-if': 'error',
      'no-unreachable': 'error',
      'no-self-assign': 'error',
      'no-self-compare': 'error',
    },
  },
)
