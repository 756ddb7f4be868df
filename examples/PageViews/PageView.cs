namespace PageViews;

/// <summary>Somebody looked at a page. The record's key is the user, its timestamp the time.</summary>
public sealed record PageView(string Page, int Seconds);

/// <summary>A page view and where the user was.</summary>
public sealed record RegionalView(string Region, string Page);
