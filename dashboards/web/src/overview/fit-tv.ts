/** How much a tile shows: `wide` and `tall` everything, `mini` name, state, count and reason, `tiny` no reason. */
export type Density = 'wide' | 'tall' | 'mini' | 'tiny';

export interface TvFit {
  readonly density: Density;
  readonly columns: number;
  /** Root font size, px: everything on the screen scales with it. */
  readonly fontPx: number;
}

/** Least size of a tile, in root font sizes (rem); measured on the tile's own style sheet. */
const tileRem: Readonly<Record<Density, { readonly width: number; readonly height: number }>> = {
  wide: { width: 19, height: 9.4 },
  tall: { width: 15.5, height: 12.4 },
  mini: { width: 12.6, height: 5.8 },
  tiny: { width: 12.6, height: 4.4 },
};
const headRem = 6.4;
const lineRem = 2.9;
const gapRem = 0.8;
const paddingRem = 2.2;
/** Six key figures and the clock stay on one row. */
const leastWidthRem = 82;
/** Smaller type than this share of the screen's height cannot be read from across a room: then tiles say less. */
const readableShare = 1 / 90;

/** Chooses columns and type size so that all lines fit on a screen of `width` × `height` px without scrolling. */
export function fitTv(width: number, height: number, lineSizes: readonly number[]): TvFit {
  const fits = (['wide', 'tall', 'mini', 'tiny'] as const).map((density) => best(density, width, height, lineSizes));
  const full = fits.slice(0, 2).reduce(better);
  const readable = [full, ...fits.slice(2)].find((fit) => fit.fontPx >= height * readableShare);
  return readable ?? fits.reduce(better);
}

function best(density: Density, width: number, height: number, lineSizes: readonly number[]): TvFit {
  const tile = tileRem[density];
  const most = Math.max(1, ...lineSizes);
  let chosen: TvFit = { density, columns: 1, fontPx: 0 };
  for (let columns = 1; columns <= most; columns += 1) {
    const rows = lineSizes.map((size) => Math.ceil(size / columns));
    const heightRem = headRem + rows.reduce((sum, count) => sum + lineRem + count * (tile.height + gapRem), 0);
    const widthRem = Math.max(leastWidthRem, paddingRem + columns * (tile.width + gapRem));
    const fontPx = Math.min(width / widthRem, height / heightRem);
    if (fontPx > chosen.fontPx) chosen = { density, columns, fontPx };
  }
  return chosen;
}

function better(a: TvFit, b: TvFit): TvFit {
  return b.fontPx > a.fontPx ? b : a;
}
