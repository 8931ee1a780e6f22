/** The least that a search can be asked for on tiny images: everything runs, nothing is learnt. */
export const tinyEffort = {
  trainingMacs: 2e9,
  batchSize: 6,
  warmUpSteps: 1,
  searchSteps: 2,
  acceleratorEvery: 2,
  acceleratorEvaluations: 2,
  finalAcceleratorEvaluations: 4,
  mapperEvaluations: 5,
  finalMapperEvaluations: 20,
  checkpointEvery: 1,
};
