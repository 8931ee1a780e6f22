/** Where the specification asks for something, as the source of a claim. */
export const specification = "systems.md §3, shows that it works";
export const paper = "ShiftAddNet, NeurIPS 2020";
