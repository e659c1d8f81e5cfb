import { Moment } from "../ui/Moment";
import { useSetup } from "./useSetup";

/** Which version holds, and whose it is. */
export function Held() {
  const { version, saved_at: at, saved_by: by } = useSetup().base;
  return version === 0 || at === null || at === undefined ? (
    <>Nothing was saved yet</>
  ) : (
    <>
      Version {version}, saved by <bdi>{by}</bdi> <Moment at={at} />
    </>
  );
}
