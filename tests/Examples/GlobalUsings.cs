global using Streams.Testing;
global using Xunit;
