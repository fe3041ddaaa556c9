/** The first line of a trace that a program prints; each other line is one number. */
export const TRACE_COLUMNS = "sample,layer,site,timestep,unit,value";
