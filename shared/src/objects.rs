//! `Objects`: everything that lies in S3.
