export { nearestExponentByLogarithm, nearestExponentByValue } from "./poweroftwo/rounding.js";
