import { sameToken, type Token } from "./token";

/** Takes the token out when it is there; else puts it in, in place of its opposite. */
export function toggle(tokens: readonly Token[], token: Token): readonly Token[] {
  if (tokens.some((held) => sameToken(held, token))) {
    return tokens.filter((held) => !sameToken(held, token));
  }
  const opposite = { ...token, negated: !token.negated };
  return [...tokens.filter((held) => !sameToken(held, opposite)), token];
}
