// What the random nests of c_nests.mjs do: one function for each kind of body.
//
// A kind gets the maker `g` of a nest (c_nest_gen.mjs) and returns
//   { decl, body, after, result, ... }: lines before the loops, inside the innermost one and behind them, and what the
// function returns; or `text`, lines that take the place of the loops altogether, for shapes with loops of their own.
// `span` says how far the nest reaches, in elements, as a multiple of what plain indexing would (default 1), `room`
// how many elements at least.  `trap` are extra calls after which nothing is called any more, so that anything may
// happen in them: `d` a value of the argument d, `n` one of n, `meet` whether the arrays are laid over one another.
// `apart`: the arrays must not meet otherwise.  `few`: small n.  `wild`: with n near 2^31, stores run into the end of memory soon.
//
// Rules that keep programs comparable: every float that is stored or returned went through keep (no NaN whose payload
// is open), nothing is undefined behaviour of C under -fwrapv -fno-strict-aliasing, no loop runs long.

// A value of r as an index: bits of whatever type the nest has.
function indexFrom(g, at) {
  if (g.type.bytes >= 4) return `((const uint32_t *)r)[${at}]`;
  return `((unsigned)r[${at}] * 2654435761u >> 7)`;
}

function condition(g) {
  return g.r.oneOf([`${g.value(1)} > ${g.value(1)}`, `(${g.inner} & 3) == ${g.r.upTo(4)}`, `${g.reads[0]} < ${g.value(1)}`,
                    `${g.counters[0]} > k`, `${g.reads[0]} != ${g.reads.at(-1)}`]);
}

const store = (g, to = 'p', depth = 2) => `${to}[${g.flat}] = ${g.kept(g.value(depth))};`;

// The greatest or least of floats by fmaxf and its like, over numbers, zeros of both signs and NaNs; from the same, too.
// The result is bits of it, since even the bits of a NaN are fixed.
function floatExtreme(g, name) {
  const { r, type } = g, c = type.compute, f = c === 'float' ? 'f' : '', x = r.oneOf(g.reads);
  const from = r.oneOf(['-__builtin_inf()', '__builtin_inf()', `(${c})0`, `-(${c})0`, `(${c})k`, 'q[0]', '__builtin_nan("0x123")', 'r[0]']);
  const e = r.chance(30) ? `__builtin_fabs${f}(${x})` : x, pair = r.chance(50) ? `${name}, ${e}` : `${e}, ${name}`;
  const rel = r.oneOf(['<', '<=', '>', '>=']), isNan = (v) => `${v} != ${v}`;
  const text = r.weighted({ library: 5, generic: 2, skips: 2, wins: 1, other: 1 });
  const next = {
    library: () => `__builtin_f${r.oneOf(['max', 'min'])}${f}(${pair})`,
    generic: () => `f${r.oneOf(['max', 'min'])}_${c}(${pair})`,
    skips: () => `${isNan(name)} || ${e} ${rel} ${name} ? ${e} : ${name}`,
    wins: () => `${isNan(name)} || !(${e} ${rel} ${name}) ${r.oneOf(['&&', '||'])} ${e} == ${e} ? ${name} : ${e}`,
    other: () => `${e} ${rel} ${name} || ${isNan(e)} ? ${e} : ${name}`,
  }[text]();
  const step = `${name} = ${next};`;
  return { decl: [`${c} ${name} = ${from};`], step: [r.chance(25) ? `if (${condition(g)}) ${step}` : step], result: `bits_of_${c}(${name})` };
}

// One reduction: { decl, step, result } around the accumulator's name.
function reduction(g, name) {
  const { r, type } = g, c = type.compute, x = g.value(1), zero = `(${c})0`;
  const integers = ['sum', 'sum', 'xor', 'product', 'and', 'or'], all = ['min', 'max', 'argmin', 'argmax', 'count', 'last', 'minif', 'where'];
  const kind = r.oneOf(g.float ? ['sum', ...all] : [...integers, ...all]);
  const index = g.counters.map((k, i) => `(int)${k}${i ? '' : ' * 100'}`).join(' + ');
  const first = `${name}_at`;
  const strict = r.oneOf(['<', '<=']), other = strict.replace('<', '>');
  const extreme = g.float && r.chance(35) ? floatExtreme(g, name) : null;
  if (extreme) return extreme;
  const acc = (op, from = zero) => ({ decl: [`${c} ${name} = ${from};`], step: [`${name} = ${g.keptCompute(`${name} ${op} ${x}`)};`], result: name });
  switch (kind) {
    case 'sum': return r.chance(30) ? { ...acc('+'), step: [`if (${condition(g)}) ${name} = ${g.keptCompute(`${name} + ${x}`)};`] } : acc('+');
    case 'xor': return acc('^');
    case 'product': return acc('*', '(k | 1)');
    case 'and': return acc('&', `~${zero}`);
    case 'or': return acc('|');
    case 'min': return { decl: [`${c} ${name} = (${c})${r.oneOf(['1000000', '100', 'k'])};`], step: [`${name} = ${x} ${strict} ${name} ? ${x} : ${name};`], result: name };
    case 'max': return { decl: [`${c} ${name} = ${zero};`], step: [`${name} = ${name} ${strict} ${x} ? ${x} : ${name};`], result: name };
    case 'minif': return { decl: [`${c} ${name} = (${c})70000;`], step: [`if (${x} ${strict} ${name}) ${name} = ${x};`], result: name };
    case 'count': return { decl: [`int ${name} = 0;`], step: [`${name} += ${condition(g)};`], result: `(${c})${name}` };
    case 'last': return { decl: [`${c} ${name} = ${zero};`], step: [`if (${condition(g)}) ${name} = ${x};`], result: name };
    case 'where': return { decl: [`int ${name} = -1;`], step: [`if (${condition(g)}) ${name} = ${index};`], result: `(${c})${name}` };
    default: {
      const cmp = kind === 'argmin' ? strict : other;
      return { decl: [`${c} ${name} = ${r.oneOf([zero, 'q[0]', `(${c})300`])};`, `int ${first} = -1;`],
               step: [`if (${x} ${cmp} ${name}) {`, `    ${name} = ${x};`, `    ${first} = ${index};`, '}'],
               result: `(${name} + (${c})(${first} & 1023))` };
    }
  }
}

export const KINDS = {
  store: { weight: 16, make: (g) => ({ body: [store(g)], wild: true }) },
  conditional: {
    weight: 7,
    make: (g) => ({ body: [`if (${condition(g)}) ${store(g)}`, ...(g.r.chance(50) ? [`else p[${g.flat}] = ${g.kept(g.reads[0])};`] : [])] }),
  },
  two_arrays: { weight: 5, make: (g) => ({ body: [store(g), store(g, 't', 1)], wild: true }) },
  many_arrays: { // more than a device binds, each by itself
    weight: 3, dims: [1],
    make: (g) => {
      const T = g.type.c, count = 6 + g.r.upTo(9), names = Array.from({ length: count }, (_, i) => `a${i}`), stored = 1 + g.r.upTo(5);
      const decl = names.map((a, i) => `${T} *const ${a} = (${T} *)(buf + places[${i}]);`), reads = names.map((a) => `${a}[${g.flat}]`);
      const body = names.slice(0, stored).map((a, i) => {
        const x = [g.value(1), ...Array.from({ length: 1 + g.r.upTo(3) }, () => g.r.oneOf(reads)), reads[count - 1 - i]];
        return `${a}[${g.flat}] = ${g.kept(x.join(' + '))};`;
      });
      const last = [`p[${g.flat}] = ${g.kept(reads.slice(stored).join(' + '))};`];
      return { decl, body: g.r.chance(50) ? [...body, ...last] : [...last, ...body], span: 1.5 };
    },
  },
  inner_sum: {
    weight: 5,
    make: (g) => ({ body: [`${g.type.compute} a = ${g.zero};`, `for (int x = 0; x < ${g.r.oneOf(['(k & 7)', '9', 's', '(int)(i & 7)'])}; x++)`,
                           `    a = ${g.keptCompute(`a + q[${g.flat} + x]`)};`, `p[${g.flat}] = ${g.kept('a')};`] }),
  },
  reduce: {
    weight: 12,
    make: (g) => {
      const list = Array.from({ length: 1 + g.r.upTo(3) }, (_, i) => reduction(g, `a${i}`));
      return { decl: list.flatMap((x) => x.decl), body: [...list.flatMap((x) => x.step), ...(g.r.chance(40) ? [store(g, 'p', 1)] : [])],
               result: list.map((x) => `(${g.type.compute})${x.result}`).join(g.float ? ' + ' : ' * 31 + ') };
    },
  },
  reduce_memory: { // the accumulator in memory, which the arrays may overlap
    weight: 3,
    make: (g) => ({ body: [`*t = ${g.kept(`*t ${g.r.oneOf(['+', g.float ? '-' : '^'])} ${g.value(1)}`)};`, ...(g.r.chance(30) ? [store(g, 'p', 1)] : [])] }),
  },
  reduce_rows: {
    weight: 4, dims: [2, 3],
    make: (g) => {
      const x = reduction(g, 'a');
      const outer = g.heads.slice(0, -1), last = g.heads.at(-1);
      return { text: [...outer.map((h) => `${h} {`), ...x.decl, `${last} {`, ...x.step, '}', `t[i] = ${g.kept(`(${g.type.compute})${x.result}`)};`, ...outer.map(() => '}')] };
    },
  },
  split: { // one statement blocks, the others do not
    weight: 4,
    make: (g) => {
      const lcg = g.r.chance(40) || !g.float;
      const decl = lcg ? ['uint32_t w = (uint32_t)k;'] : [`${g.type.compute} a = ${g.zero};`];
      const step = lcg ? `w = w * 1664525u + (uint32_t)${g.r.oneOf([g.inner, '7', `(int)${g.reads[0]}`])};` : `a = ${g.keptCompute(`a * ${g.lit(0.5)} + p[${g.flat}]`)};`;
      return { decl, body: g.r.chance(50) ? [store(g), step] : [step, store(g)], result: lcg ? `(${g.type.compute})(w >> 8)` : 'a' };
    },
  },
  scan: { weight: 2, make: (g) => ({ decl: [`${g.type.compute} a = ${g.zero};`], body: [`a = ${g.keptCompute(`a + ${g.reads[0]}`)};`, `p[${g.flat}] = (${g.type.c})a;`], result: 'a' }) },
  carried: { // last turn's load is kept for the next
    weight: 3,
    make: (g) => ({ decl: [`${g.type.compute} w = q[${g.r.oneOf(['0', '1', 'k & 3'])}];`],
                    body: [`const ${g.type.compute} x = q[${g.flat}];`, `p[${g.flat}] = ${g.kept(`x ${g.r.oneOf(['+', '-'])} w`)};`, 'w = x;'],
                    result: g.r.chance(50) ? 'w' : '' }),
  },
  recurrence: { // distances of one to a few elements, forwards and backwards
    weight: 3,
    make: (g) => ({ body: [`p[${g.flat} + ${g.r.upTo(4)}] = ${g.kept(`p[${g.flat} + ${g.r.upTo(4)}] + ${g.value(1)}`)};`] }),
  },
  data_while: {
    weight: 4,
    make: (g) => ({ body: ['unsigned w = (unsigned)(i + k) & 255, c = 0;', 'while (w > 1) {', `    w = w & 1 ? ${g.r.oneOf(['w - 1', '(w * 3 + 1) & 127'])} : w / 2;`,
                           `    if (++c > ${20 + g.r.upTo(50)}) break;`, '}', `p[${g.flat}] = (${g.type.c})c;`] }),
  },
  rows_of_data: { // the inner count is data
    weight: 3, dims: [1],
    make: (g) => ({ body: [`${g.type.compute} a = ${g.zero};`, `const int e = (int)(${indexFrom(g, 'i')} & 15);`,
                           `for (int x = 0; x < e; x++) a = ${g.keptCompute(`a + q[${g.r.oneOf(['i + x', '(i + x * 3) & 511', 'x'])}]`)};`, `p[i] = ${g.kept('a')};`] }),
  },
  divide: {
    weight: 3,
    make: (g) => ({ body: [`p[${g.flat}] = (${g.type.c})((k + 70000) ${g.r.oneOf(['/', '%'])} ((int)${g.counters[0]} - d));`], trap: [{ d: true }] }),
  },
  explicit_trap: {
    weight: 2,
    make: (g) => ({ body: [`if ((int)${g.counters[0]} == d) __builtin_trap();`, store(g)], trap: [{ d: true }], wild: true }),
  },
  way_out: {
    weight: 6,
    make: (g) => {
      const rare = g.r.oneOf([`${g.reads[0]} == (${g.type.compute})${g.r.upTo(100000)}`, `((unsigned)${g.counters[0]} + (unsigned)k) % 1009 == 1008`,
                              `${g.reads.at(-1)} > (${g.type.compute})${g.r.oneOf(['60000', '1000', '2000000000'])}`, `(int)${g.counters[0]} == d`, `${g.counters[0]} == 97531`]);
      const out = g.r.oneOf(['break;', 'break;', `return (${g.type.compute})${g.inner};`, 'goto done;']);
      return { body: [...(g.r.chance(40) ? [store(g, 'p', 1)] : []), `if (${rare}) ${out}`, store(g, g.r.chance(60) ? 'p' : 't')], label: 'done', trap: [{ d: true }] };
    },
  },
  search: {
    weight: 3,
    make: (g) => ({ decl: ['int found = -1;'], body: [`if (${g.reads[0]} == ${g.r.oneOf(['q[d & 255]', `(${g.type.compute})k`])}) {`, `    found = (int)${g.inner};`, '    break;', '}',
                           ...(g.r.chance(50) ? [store(g)] : [])], result: `(${g.type.compute})found` }),
  },
  skipping: { weight: 4, make: (g) => ({ body: [`if (${condition(g)}) continue;`, store(g)] }) },
  switching: {
    weight: 3,
    make: (g) => ({ body: [`switch ((unsigned)${g.r.oneOf([g.inner, indexFrom(g, g.flat)])} & ${g.r.oneOf([3, 7])}) {`, `case 0: ${store(g, 'p', 1)} break;`,
                           `case 1: ${store(g, 'p', 1)} ${g.r.oneOf(['break;', '/* fall through */'])}`, `case 2: t[${g.flat}] = ${g.kept(g.value(1))}; break;`,
                           ...(g.r.chance(50) ? [`default: ${store(g)}`] : ['case 3: break;']), '}'] }),
  },
  private_array: {
    weight: 5,
    make: (g) => {
      const n = g.r.oneOf([3, 4, 8]), c = g.r.oneOf([g.type.c, g.type.compute]);
      const use = g.r.oneOf([
        [`p[${g.flat}] = ${g.kept(`w[(unsigned)(k + ${g.inner}) % ${n}u] + w[0]`)};`],
        [`for (int x = 1; x < ${n}; x++)`, '    for (int y = x; y > 0 && w[y] < w[y - 1]; y--) {', `        const ${c} z = w[y];`, '        w[y] = w[y - 1];', '        w[y - 1] = z;', '    }', `p[${g.flat}] = ${g.kept(`w[${n >> 1}]`)};`],
        [`w[(unsigned)k % ${n}u] = (${c})1;`, `p[${g.flat}] = ${g.kept(`w[0] + w[${n - 1}]`)};`],
      ]);
      const outside = g.r.chance(40); // one array for all iterations
      const decl = `${c} w[${n}];`, fill = `for (int x = 0; x < ${n}; x++) w[x] = (${c})q[${g.flat} + x];`;
      return { decl: outside ? [decl] : [], body: [...(outside ? [] : [decl]), ...(g.r.chance(85) || !outside ? [fill] : [`if (i == 0 || ${condition(g)})`, `    ${fill}`]), ...use],
               initialise: outside ? `for (int x = 0; x < ${n}; x++) w[x] = (${c})x;` : '', result: outside && g.r.chance(50) ? `(${g.type.compute})w[1]` : '' };
    },
  },
  private_block: { // filled, worked on and read in every iteration: rows and columns, bins, tables
    weight: 5,
    make: (g) => {
      const c = g.r.oneOf([g.type.c, g.type.compute]), n = g.r.oneOf([16, 40, 64, 64, 128, 256]), most = 1 << Math.floor(Math.log2(n));
      const fill = g.r.oneOf([
        `for (int x = 0; x < ${n}; x++) w[x] = (${c})q[${g.flat} + (x & 31)];`,
        `__builtin_memset(w, ${g.r.oneOf(['0', '0', '1'])}, sizeof w);`,
        `for (int x = 0; x < ${n >> 3}; x++) for (int y = 0; y < 8; y++) w[${g.r.oneOf([`y * ${n >> 3} + x`, 'x * 8 + y'])}] = (${c})(x + y + ${g.value(0)});`,
        `for (int x = 0; x < ${n}; x++) if (q[${g.flat} + (x & 15)] > (${g.type.compute})k) w[x] = (${c})x; else w[x] = (${c})${g.value(1)};`,
        `__builtin_memcpy(w, fixed, sizeof w);`,
        `for (int x = ${n - 1}; x >= ${g.r.chance(20) ? 1 : 0}; x--) w[x] = (${c})(x * 3);`, // or all but one
      ]);
      const works = [
        `w[(unsigned)(${g.r.oneOf([`(int)${g.reads[0]}`, 'k', g.inner])}) & ${most - 1}u] += (${c})1;`,
        `for (int x = 0; x < 16; x++) w[(unsigned)(int)q[${g.flat} + x] & ${most - 1}u] += (${c})1;`,
        `for (int x = 1; x < ${n}; x++) w[x] += w[x - 1];`,
        `for (int x = 0; x < ${n >> 1}; x++) { const ${c} a = w[x], b = w[${n - 1} - x]; w[x] = a + b; w[${n - 1} - x] = a - b; }`,
        `{ ${c} v[${n >> 3} * 8]; for (int x = 0; x < ${n >> 3}; x++) for (int y = 0; y < 8; y++) v[y * ${n >> 3} + x] = w[x * 8 + y]; for (int x = 0; x < ${n >> 3} * 8; x++) w[x] = v[x]; }`,
        `for (int x = 0; x < 8; x++) for (int y = 0; y < x; y++) w[x + y] ${g.float ? '+' : '^'}= w[y];`,
        `((unsigned char *)w)[(unsigned)k % sizeof w] ${g.float ? '=' : '^'} 3;`.replace('^ 3', '^= 3'),
      ];
      const work = Array.from({ length: 1 + g.r.upTo(3) }, () => g.r.oneOf(works));
      const outside = g.r.chance(25), decl = [`${c} w[${n}];`, `static const ${c} fixed[${n}] = {1, 2, 3, 5, 7, 11};`];
      return { decl: outside ? decl : [decl[1]], body: [...(outside ? [] : [decl[0]]), ...(g.r.chance(85) || !outside ? [fill] : []), ...work,
                                                      `p[${g.flat}] = ${g.kept(`w[(unsigned)(k + ${g.inner}) % ${n}u] + w[${n - 1}]`)};`],
               initialise: outside ? `for (int x = 0; x < ${n}; x++) w[x] = (${c})x;` : '', result: outside && g.r.chance(50) ? `(${g.type.compute})w[1]` : '', room: 96, few: true };
    },
  },
  gather: {
    weight: 6,
    make: (g) => {
      const at = indexFrom(g, g.flat), mask = g.r.oneOf(['& 63', '& 1023', '% 777u', `% (unsigned)(n + 1)`, '& 4095']);
      const load = `q[${at} ${mask}]`;
      return { body: [g.r.chance(70) ? `p[${g.flat}] = ${g.kept(`${load} ${g.r.oneOf(['+', '-'])} ${g.value(1)}`)};` : `if (${condition(g)}) p[${g.flat}] = ${g.kept(load)};`], room: 4200 };
    },
  },
  gather_anywhere: { // the index is data and may leave memory
    weight: 2, types: ['uint32_t', 'int32_t', 'float'],
    make: (g) => ({ body: [`p[${g.flat}] = ${g.kept(`q[((const uint32_t *)r)[${g.flat}] >> (d > 1000 ? 0 : 20)]`)};`], room: 4200, trap: [{ d: 2000 }] }),
  },
  scatter: {
    weight: 3,
    make: (g) => ({ body: [`p[${g.r.oneOf([`(unsigned)(${g.inner} * 7 + k) & 1023`, `${indexFrom(g, g.flat)} & 255`, `(unsigned)(${g.inner} * s) % 997u`, `(unsigned)${g.inner} & 31`])}] ${g.float ? '' : g.r.oneOf(['', '', '+'])}= ${g.kept(g.value(1))};`], room: 4200 }),
  },
  rows_copied: {
    weight: 4, dims: [1],
    make: (g) => {
      const size = g.r.oneOf(['(unsigned)m * sizeof *p', '16 * sizeof *p', '(unsigned)s * 8']), row = size.startsWith('(unsigned)m') ? 'm' : '16';
      const op = g.r.oneOf([`memcpy(p + i * ${row}, q + i * ${row}, ${size});`, `memmove(p + i * ${row}, q + i * ${row}, ${size});`,
                            `memset(p + i * ${row}, ${g.r.oneOf(['0', '(int)i', 'k'])}, ${size});`, `memcpy(p + i * ${row}, q + (n - 1 - i) * ${row}, ${size});`]);
      return { text: [`for (int i = 0; i < n; i++) {`, op, ...(g.r.chance(50) ? [`p[i * ${row}] = ${g.kept('p[i * ' + row + '] + ' + g.lit(1))};`] : []), '}'], room: 64 * 64 * 2, few: true };
    },
  },
  unrolled: { // by hand, with the remainder
    weight: 4, dims: [1],
    make: (g) => {
      const u = g.r.oneOf([2, 4, 4, 8]), e = (x) => `p[i${x ? ` + ${x}` : ''}] = ${g.kept(`q[i + ${x}] ${g.r.oneOf(['+', '-'])} r[i + ${x}]`)};`;
      const sum = g.r.chance(40);
      return { decl: sum ? ['uint32_t a = 0;'] : [], room: 80,
               text: ['int i = 0;', g.r.oneOf([`for (; i + ${u - 1} < n; i += ${u}) {`, `for (; i < (n & -${u}); i += ${u}) {`]),
                      ...Array.from({ length: u }, (_, x) => e(x)), ...(sum ? Array.from({ length: u }, (_, x) => `a += (uint32_t)(int)q[i + ${x}];`) : []), '}',
                      'for (; i < n; i++) {', e(0), ...(sum ? ['a += (uint32_t)(int)q[i];'] : []), '}'], result: sum ? `(${g.type.compute})(a & 0xffff)` : '' };
    },
  },
  pointers: { // no index at all
    weight: 4, dims: [1],
    make: (g) => ({ text: [`${g.type.c} *a = p, *e = p + n;`, `const ${g.type.c} *b = q;`, g.r.oneOf(['while (a != e)', 'while (a < e)', 'for (; a != e; )']),
                           `    *a++ = ${g.kept(`${g.r.oneOf(['*b++', 'b++[1]', '*b'])} ${g.r.oneOf(['+', '-'])} (${g.type.compute})k`)};`],
                    result: `(${g.type.compute})(a - p)` }),
  },
  backwards: {
    weight: 4, dims: [1],
    make: (g) => ({ text: g.r.oneOf([
      ['for (int i = 0; i < n; i++)', `    p[n - 1 - i] = ${g.kept(`q[i] + ${g.value(1)}`)};`],
      ['for (int i = n - 1; i >= 0; i--)', `    p[i] = ${g.kept(`q[n - 1 - i] + ${g.value(1)}`)};`],
      [`for (int i = 0; i < ${g.r.oneOf(['n / 2', 'n'])}; i++) {`, `    const ${g.type.c} x = p[i];`, '    p[i] = p[n - 1 - i];', '    p[n - 1 - i] = x;', '}'],
      [`const ${g.type.c} *e = q + n;`, `for (${g.type.c} *a = p; e > q; )`, `    *a++ = *--e;`],
    ]) }),
  },
  strided: { // interleaved elements
    weight: 5, dims: [1],
    make: (g) => {
      const w = g.r.oneOf([2, 3, 4]), a = g.r.upTo(w), b = g.r.upTo(w);
      return { body: [`p[i * ${w} + ${a}] = ${g.kept(`${g.r.oneOf(['p', 'q', 'q'])}[i * ${w} + ${b}] + ${g.value(1)}`)};`,
                      ...(g.r.chance(40) ? [`p[i * ${w} + ${(a + 1) % w}] = ${g.kept(g.value(1))};`] : [])], span: 4 };
    },
  },
  wide_and_narrow: { // arrays of several widths, perhaps over one another
    weight: 5, types: ['uint32_t', 'uint8_t', 'int16_t', 'uint64_t'],
    make: (g) => {
      const wide = g.r.oneOf(['uint8_t', 'uint16_t', 'uint32_t', 'uint64_t']), from = g.r.oneOf(['uint8_t', 'int8_t', 'int16_t', 'uint32_t', 'uint64_t']);
      return { decl: [`${wide} *a = (${wide} *)p;`, `const ${from} *b = (const ${from} *)q;`],
               body: [`a[${g.flat}] = (${wide})(b[${g.flat}${g.r.chance(40) ? ' + 1' : ''}] ${g.r.oneOf(['+', '*', '^'])} ${g.r.oneOf(['3', 'k', g.inner])});`,
                      ...(g.r.chance(30) ? [`t[${g.flat}] = (${g.type.c})a[${g.flat}];`] : [])], span: Math.ceil(8 / g.type.bytes) };
    },
  },
  unaligned: {
    weight: 3, types: ['uint32_t', 'int16_t', 'uint64_t', 'uint8_t'],
    make: (g) => {
      const step = g.r.oneOf([3, 5, 4, 6, 9]), c = g.r.oneOf(['uint16_t', 'uint32_t', 'uint64_t']);
      return { decl: ['char *a = (char *)p;', 'const char *b = (const char *)q;'],
               body: [`${c} x;`, `memcpy(&x, b + (${g.flat}) * ${step} + ${g.r.upTo(4)}, sizeof x);`, `x = (${c})(x ${g.r.oneOf(['+', '*', '^'])} 77u);`,
                      `memcpy(a + (${g.flat}) * ${g.r.oneOf([step, 9, 8])} + ${g.r.upTo(2)}, &x, sizeof x);`], span: Math.ceil(10 / g.type.bytes) };
    },
  },
  structs: {
    weight: 5,
    make: (g) => {
      const T = g.type.c;
      const fields = g.r.oneOf([
        { a: 'uint8_t', b: T, c: 'uint16_t' }, { a: T, b: T, c: T, e: T }, { b: T, a: 'uint8_t', c: 'uint8_t' }, { e: 'double', a: T, b: T, c: 'uint8_t' },
      ]);
      const names = ['a', 'b', 'c'], x = g.r.oneOf(names), y = g.r.oneOf(names);
      const load = (f) => `(${g.type.compute})w[${g.flat}].${f}`;
      const set = (f, v) => `w[${g.flat}].${f} = ${fields[f] === T ? g.kept(v) : `(${fields[f]})${g.float ? `(int)${g.kept(v)}` : `(${v})`}`};`;
      return { decl: [`struct { ${Object.entries(fields).map(([n, t]) => `${t} ${n}; `).join('')}} *w = (void *)p;`],
               body: [set(x, `${load(y)} ${g.r.oneOf(['+', '-'])} ${g.value(1)}`), ...(g.r.chance(40) ? [set(y, g.value(1))] : [])],
               span: Math.ceil(32 / g.type.bytes) };
    },
  },
  reloaded: { // pointers and bounds that the loop may or may not overwrite
    weight: 4, dims: [1, 2],
    make: (g) => ({ decl: [`${g.type.c} **h = (void *)t;`, 'int *e = (int *)t + 4;', `h[0] = p;`, `h[1] = (${g.type.c} *)q;`, 'e[0] = n;', `e[1] = m;`],
                    text: g.dims === 1 ? [`for (int i = 0; i < ${g.r.oneOf(['e[0]', 'n'])}; i++)`, `    h[0][i] = ${g.kept(`h[1][i] ${g.r.oneOf(['+', '-'])} ${g.r.oneOf([`(${g.type.compute})k`, `(${g.type.compute})i`])}`)};`]
                      : [`for (int i = 0; i < ${g.r.oneOf(['e[0]', 'n'])}; i++)`, `    for (int j = 0; j < ${g.r.oneOf(['e[1]', 'm'])}; j++)`,
                         `        h[0][i * ${g.r.oneOf(['e[1]', 'm', '64'])} + j] = ${g.kept(`h[1][j] + (${g.type.compute})i`)};`], trap: [{ meet: true }], apart: true }),
  },
  globals: { // the bounds in globals of C, which a call may change
    weight: 3, dims: [1],
    make: (g) => ({ decl: ['bound = n;', `target = p;`], text: [`for (int i = 0; i < bound; i++) {`, `((${g.type.c} *)target)[i] = ${g.kept(`q[i] + ${g.lit(1)}`)};`,
                                                               ...(g.r.chance(40) ? ['if (i == d) change(&bound);'] : []), '}'], trap: [{ d: true }] }),
  },
  helper: { // a call in the body, which clang may not inline
    weight: 4,
    make: (g) => ({ function: [`NOINLINE static ${g.type.compute} help_${g.id}(${g.type.c} *p, const ${g.type.c} *q, int i, int k) {`, '    (void)p, (void)k;',
                               ...(g.r.chance(40) ? [`    p[${g.r.oneOf(['i', 'i + 1', 'i & 63'])}] = ${g.kept(`q[i] + (${g.type.compute})k`)};`] : []),
                               `    return ${g.r.oneOf(['q[i]', `q[i] * (${g.type.compute})2`, `(${g.type.compute})(i ^ k)`])};`, '}'],
                    body: [`p[${g.flat}] = ${g.kept(`help_${g.id}(${g.r.oneOf(['p', 't'])}, q, (int)(${g.flat}), k) + ${g.value(1)}`)};`] }),
  },
  growing: { // memory grows in the middle, seldom or never
    weight: 2, dims: [1],
    make: (g) => ({ body: [`if ((int)i == d) hash += __builtin_wasm_memory_grow(0, 1);`, store(g)], trap: [{ d: true }] }),
  },
  which_array: {
    weight: 3,
    make: (g) => ({ body: [`const ${g.type.c} *w = ${g.r.oneOf([`(${g.inner} & 1)`, 'k > 3', condition(g)])} ? q : r;`, `p[${g.flat}] = ${g.kept(`w[${g.flat}] + ${g.value(1)}`)};`] }),
  },
  clamped: {
    weight: 5,
    make: (g) => {
      const c = g.inner, b = g.dims === 1 ? 'n' : 'm', lo = `((int)${c} - ${1 + g.r.upTo(2)} < 0 ? 0 : (int)${c} - 1)`, hi = `((int)${c} + 1 >= ${b} ? ${b} - 1 : (int)${c} + 1)`;
      return { body: [`p[${g.flat}] = ${g.kept(`q[${lo}] ${g.r.oneOf(['+', '-'])} q[${hi}] ${g.r.oneOf(['+', '-'])} q[${g.flat}]`)};`] };
    },
  },
  bordered: { // neighbours are left out where a test says that there are none
    weight: 5, dims: [1, 2],
    make: (g) => {
      const row = g.r.oneOf(['i + x - 1', 'i - x', 'i * 2 + x - 2', '(n - 1 - i) + x', 'i + x * s - 1']), h = g.r.oneOf(['n', 'n', 'n - 1', '(k & 15)', '(n + 3) / 2', '5']);
      const test = g.r.oneOf([`row < 0 || row >= ${h}`, `(unsigned)row >= (unsigned)(${h})`, `!(row >= 0 && row < ${h})`, `row < 1 || row > ${h} - 1`, `row < 0 || ${h} <= row`, `row <= -1 || (unsigned)row > (unsigned)(${h})`]);
      const rest = g.dims === 1 ? '' : ' * 64 + j', from = g.r.oneOf(['q', 'q', 'r', 'p', 'w']), source = from === 'w' ? `((const ${g.type.c} *)t)` : from;
      return { text: ['for (int i = 0; i < n; i++)', ...(g.dims === 1 ? ['    {'] : ['    for (int j = 0; j < m; j++) {']), `        ${g.type.compute} a = ${g.zero};`,
                      `        for (int x = 0; x < ${g.r.oneOf(['3', '4', '(k & 3)'])}; x++) {`, `            int row = ${row};`, `            if (${test}) continue;`,
                      `            a = ${g.keptCompute(`a + ${source}[row${rest}]`)};`, '        }', `        p[i${rest}] = ${g.kept('a')};`, '    }'], span: 4 };
    },
  },
  time_steps: { // the outer loop is sequential, the inner ones are not
    weight: 5, dims: [1, 2],
    make: (g) => {
      const inner = g.dims === 1 ? ['for (int i = 1; i + 1 < n; i++)', `    a[i] = ${g.kept(`${g.float ? g.lit(0.5) : '3u'} * (b[i - 1] + b[i + 1])`)};`]
        : ['for (int i = 1; i + 1 < n; i++)', '    for (int j = 1; j + 1 < m; j++)', `        a[i * 64 + j] = ${g.kept(`b[i * 64 + j - 1] + b[i * 64 + j + 1] ${g.r.oneOf(['+', '-'])} b[(i - 1) * 64 + j] - b[(i + 1) * 64 + j]`)};`];
      return { text: [`${g.type.c} *a = p, *b = (${g.type.c} *)${g.r.oneOf(['q', 't'])};`, `for (int step = 0; step < ${g.r.oneOf(['4', 's + 1', '3'])}; step++) {`, ...inner,
                      ...(g.r.chance(75) ? [`${g.type.c} *w = a;`, 'a = b;', 'b = w;'] : []), ...(g.r.chance(20) ? ['hash += __builtin_wasm_memory_grow(0, step & 1);'] : []), '}'] };
    },
  },
  pivots: { // Gauss and Floyd-Warshall: row and column k are read while all others change
    weight: 3, dims: [2],
    make: (g) => ({ text: [`for (int x = 0; x < ${g.r.oneOf(['n', '5'])}; x++)`, `    for (int i = ${g.r.oneOf(['0', 'x + 1', '0'])}; i < n; i++)`, `        for (int j = ${g.r.oneOf(['0', 'x', 'x + 1'])}; j < m; j++)`,
                           `            p[i * 64 + j] = ${g.kept(g.r.oneOf(['p[i * 64 + j] - p[i * 64 + x] * p[x * 64 + j]', '(p[i * 64 + j] < p[i * 64 + x] + p[x * 64 + j] ? p[i * 64 + j] : p[i * 64 + x] + p[x * 64 + j])']))};`] }),
  },
  products: { // matrix product and its relatives
    weight: 4, dims: [2],
    make: (g) => ({ text: ['for (int i = 0; i < n; i++)', '    for (int j = 0; j < m; j++) {', `        ${g.type.compute} a = ${g.r.oneOf([g.zero, 'p[i * 64 + j]'])};`,
                           `        for (int x = 0; x < ${g.r.oneOf(['8', '(k & 7)', '(i & 7)'])}; x++) a = ${g.keptCompute(`a + q[${g.r.oneOf(['i * 64 + x', 'x * 64 + i'])}] * r[${g.r.oneOf(['x * 64 + j', 'j * 64 + x'])}]`)};`,
                           `        ${g.r.oneOf(['p', 'p', 't'])}[${g.r.oneOf(['i * 64 + j', 'j * 64 + i', 'i * m + j'])}] = ${g.kept('a')};`, '    }'] }),
  },
  two_nests: {
    weight: 4, dims: [1],
    make: (g) => ({ text: ['for (int i = 0; i < n; i++)', `    t[i] = ${g.kept(g.value(1))};`, `for (int i = ${g.r.oneOf(['0', '1'])}; i < n; i++)`, `    p[i] = ${g.kept(`t[${g.r.oneOf(['i', 'n - 1 - i'])}] + q[i]`)};`] }),
  },
  counter16: { // a counter that wraps around
    weight: 3, dims: [1], types: ['uint8_t', 'int16_t'],
    make: (g) => ({ text: [`const uint16_t e = (uint16_t)(d * 7 + n);`, `for (uint16_t i = (uint16_t)(d * 7); i != e; i++)`, `    p[i] = (${g.type.c})(q[${g.r.oneOf(['i', '(uint16_t)(i + 1)', 'i >> 1'])}] + 3);`], room: 65540 }),
  },
  counter8: {
    weight: 2, dims: [1],
    make: (g) => ({ text: [`uint8_t i = (uint8_t)d;`, `for (int x = 0; x < n; x++, i += ${g.r.oneOf(['1', '3', 's'])})`, `    p[${g.r.oneOf(['i', 'x'])}] = ${g.kept(`q[${g.r.oneOf(['i', '(uint8_t)(i + 1)'])}] + ${g.lit(2)}`)};`], room: 600 }),
  },
  masked: { // an index that is cut: ranges repeat
    weight: 4, dims: [1],
    make: (g) => ({ text: [`for (uint32_t i = 0; i < (uint32_t)n; i++)`, `    p[${g.r.oneOf(['i & 255', '(i + 3) & 1023', 'i', '(i * 5) & 4095', 'i % 100'])}] = ${g.kept(`q[${g.r.oneOf(['i & 63', '(i + (uint32_t)k) & 255', 'i / 3', 'i >> 2'])}] + (${g.type.compute})(i & 7)`)};`], room: 4200 }),
  },
  around_zero: { // addresses that wrap around 2^32, as numbers
    weight: 3, dims: [1],
    make: (g) => ({ text: [`uint32_t a = (uint32_t)(uintptr_t)(p + 64) - ${g.r.oneOf(['0', '16', '4294967232u'])};`, `for (uint32_t i = 4294967280u; i != (uint32_t)n; i++)`,
                           `    *(${g.type.c} *)(a + i * ${g.type.bytes}u) = ${g.kept(`q[(i + 16u) & 1023] + ${g.lit(1)}`)};`], room: 4200 }),
  },
  wide_counter: {
    weight: 4, dims: [1],
    make: (g) => ({ text: g.r.oneOf([
      ['for (long long i = 0; i < n; i += s)', `    p[i] = ${g.kept(g.value(1))};`],
      ['for (uint64_t i = 0; i < (uint64_t)(n > 0 ? n : 0); i++)', `    p[i * s] = ${g.kept(g.value(1))};`],
      ['for (long long i = n; i-- > 0;)', `    p[i] = ${g.kept(g.value(1))};`],
      ['for (uint64_t i = 4294967296ull; i < 4294967296ull + (uint32_t)n; i++)', `    p[(uint32_t)i] = ${g.kept('q[(uint32_t)i] + (' + g.type.compute + ')k')};`],
    ]), span: 3 }),
  },
};
