const weights = [31, 29, 23, 19, 17, 13, 7, 5, 3];

/**
 * Whether the tenth digit of a tax code is right: 10 − (Σ digit · weight mod 11). A branch (`-001`) has the code of its enterprise. No code
 * exists where the formula gives ten.
 */
export function isTaxCode(code: string): boolean {
  if (!/^[0-9]{10}(-[0-9]{3})?$/.test(code)) return false;
  const sum = weights.reduce((total, weight, index) => total + weight * Number(code[index]), 0);
  return 10 - (sum % 11) === Number(code[9]);
}
