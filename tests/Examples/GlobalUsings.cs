global using Streams.Core;
global using Streams.Testing;
global using Xunit;
