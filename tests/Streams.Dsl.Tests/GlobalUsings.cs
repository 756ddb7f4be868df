global using Streams.Core;
