namespace Guide;

public sealed class RegionTests
{
    [Fact]
    public void Code_loses_the_shared_indentation_only()
    {
        var region = Assert.Single(Region.In("a.cs", "x\n    // <snippet one>\n    if (a)\n        b();\n\n    c();\n    // </snippet>\ny"));
        Assert.Equal(("one", false, "if (a)\n    b();\n\nc();"), (region.Name, region.IsOutput, region.Text));
    }

    [Fact]
    public void Output_is_what_stands_in_the_raw_string()
    {
        var region = Assert.Single(Region.In("a.cs", "// <output two>\nconst string T = \"\"\"\n    a\n      b\n    \"\"\";\n// </output>"));
        Assert.Equal(("two", true, "a\n  b"), (region.Name, region.IsOutput, region.Text));
    }

    [Theory]
    [InlineData("// <snippet a>\nb();")]
    [InlineData("// </snippet>")]
    [InlineData("// <snippet a>\n// <snippet b>\n// </snippet>")]
    [InlineData("// <snippet a>\n// </output>")]
    [InlineData("// <output a>\nno string\n// </output>")]
    public void Region_that_is_not_well_formed_is_refused(string source) => Assert.Throws<FormatException>(() => Region.In("a.cs", source).ToList());

    [Fact]
    public void Blocks_of_a_page_are_read_with_their_lines()
    {
        var blocks = Blocks.In("p.md", "a\n```csharp\n  x\n```\nb\n```text\ny\n```\n").ToList();
        Assert.Equal([new Block("p.md", 2, "csharp", "x"), new Block("p.md", 6, "text", "y")], blocks);
        Assert.Throws<FormatException>(() => Blocks.In("p.md", "```\nx").ToList());
    }
}
