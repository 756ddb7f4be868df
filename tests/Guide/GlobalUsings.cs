global using Streams.Core;
global using Streams.Dsl;
global using Streams.State;
global using Streams.Testing;
global using Xunit;
