import { Breadcrumb } from "../ui/Breadcrumb";
import { readSteps } from "./point/steps";

/** A point as the console shows it, REQUEST › QUERY › token; what is no row of steps as it was typed. */
export function PointPath({ point }: { readonly point: string }) {
  const steps = readSteps(point);
  if (steps === undefined || steps.length === 0) {
    return <code>{point === "" ? "no point yet" : point}</code>;
  }
  return <Breadcrumb steps={steps.flatMap(({ word, argument }) => (argument === undefined ? [word.toUpperCase()] : [word.toUpperCase(), argument]))} />;
}
