namespace Examples;

public sealed class ReadmeOutputTests
{
    [Fact]
    public void Block_is_the_first_that_is_text()
    {
        Assert.Equal(["a", "  b"], ReadmeOutput.Block("x\n```csharp\nc\n```\n```text\na\n  b\n```\n```text\nd\n```\n"));
        Assert.Empty(ReadmeOutput.Block("```csharp\nc\n```"));
        Assert.Throws<FormatException>(() => ReadmeOutput.Block("```text\nc"));
    }
}
