"""Every route of the kernel."""

from __future__ import annotations

from litestar.types import ControllerRouterHandler

from statuette.kernel.domain.accounts.routes import AccountRoutes, AdminAccountRoutes, SigninRoutes
from statuette.kernel.domain.consent.routes import ConsentRoutes
from statuette.kernel.domain.credits.routes import AdminCreditRoutes, CreditRoutes
from statuette.kernel.domain.figurines.routes import FigurineRoutes, image
from statuette.kernel.domain.generations.routes import AdminGenerationRoutes, GenerationRoutes
from statuette.kernel.domain.styles.routes import SiteRoutes
from statuette.kernel.domain.uploads.routes import UploadRoutes
from statuette.kernel.http.health import healthz, readyz
from statuette.kernel.work.routes import AdminFindingRoutes

ROUTES: tuple[ControllerRouterHandler, ...] = (
    SiteRoutes,
    SigninRoutes,
    AccountRoutes,
    ConsentRoutes,
    CreditRoutes,
    UploadRoutes,
    GenerationRoutes,
    FigurineRoutes,
    image,
    AdminAccountRoutes,
    AdminCreditRoutes,
    AdminGenerationRoutes,
    AdminFindingRoutes,
    healthz,
    readyz,
)
