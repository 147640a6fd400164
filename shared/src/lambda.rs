//! Running a router as a Lambda.
