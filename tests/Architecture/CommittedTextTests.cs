using System.Text.RegularExpressions;

namespace Architecture;

/// <summary>A clone stands on its own: nothing in it may point at one person's machine or at one site's package mirror.</summary>
public sealed class CommittedTextTests
{
    // Written in pieces so that this file passes its own test.
    private static readonly Regex _banned = new(
        string.Join('|',
        [
            "(?<![A-Za-z0-9_.])/" + "work/",
            "(?<![A-Za-z0-9_])/" + "home/[a-z]",
            "(?<![A-Za-z0-9_])/" + "Users/[A-Za-z]",
            "(?<![A-Za-z0-9_])/" + "root/",
            @"[A-Z]:\\" + @"Users\\",
            @"\.\./" + "shared/",
            @"api\." + @"nuget\.org",
            @"registry\." + @"npmjs\.org",
            @"deb\." + @"debian\.org",
            @"proxy\." + @"golang\.org",
            @"pypi\." + @"org",
        ]),
        RegexOptions.CultureInvariant);

    [Fact]
    public void Committed_text_names_no_machine_and_no_registry_host()
    {
        var faults =
            from path in Repository.Files()
            where !IsBinary(path)
            from line in Repository.ReadText(path).Split('\n').Select((text, index) => (Text: text, Number: index + 1))
            where _banned.IsMatch(line.Text)
            select $"{path}:{line.Number}: {line.Text.Trim()}";
        Assert.Empty(faults);
    }

    [Fact]
    public void Repository_listing_sees_this_very_file()
    {
        // Guards the test above against passing because it looked at nothing.
        Assert.Contains("tests/Architecture/CommittedTextTests.cs", Repository.Files());
    }

    [Theory]
    [InlineData("cp x /wor" + "k/y")]
    [InlineData("\"/hom" + "e/joe/x\"")]
    [InlineData(@"C:\User" + @"s\joe")]
    [InlineData("see ../share" + "d/DESIGN.md")]
    public void Banned_text_is_recognised(string text) => Assert.Matches(_banned, text);

    [Theory]
    [InlineData("src/Framework/x")]
    [InlineData("https://example.org/work/x")]
    [InlineData("/var/lib/broker")]
    public void Ordinary_text_is_not_banned(string text) => Assert.DoesNotMatch(_banned, text);

    private static bool IsBinary(string path)
    {
        using var file = File.OpenRead(Path.Combine(Repository.Root, path));
        Span<byte> start = stackalloc byte[4096];
        var length = file.ReadAtLeast(start, start.Length, throwOnEndOfStream: false);
        return start[..length].Contains((byte)0);
    }
}
