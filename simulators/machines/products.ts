/** Recipe numbers of the packaging line's PLCs: every machine of the line knows the same list. */
export const packagingProducts = {
  'Nước rửa chén 5 L': 1,
  'Nước lau sàn 5 L': 2,
  'Nước giặt 5 L': 3,
} as const;
