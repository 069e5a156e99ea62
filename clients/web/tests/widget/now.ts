/** When the widget's tests are: Monday, 7 January 2030, nine o'clock in Berlin. */
export const NOW = new Date("2030-01-07T08:00:00Z");
